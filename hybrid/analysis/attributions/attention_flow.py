"""Relevance carried back through layers of attention: Attention Rollout and Transformer Explainability.

A layer is a matrix over tokens, and a chain of layers is the product of their matrices. Only the class token's row of
that product is wanted, so the row is carried through the layers from the last to the first, and no matrix of all tokens
is ever made: divided attention's is block-sparse, and ViViT's has thousands of tokens a side.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from baselines import ClipModel
from baselines.contract import Intermediates
from hybrid.analysis.attributions.grad_cam import cam, last_stages, look_inside, on_clip, top_grade
from hybrid.analysis.base import Attribution, ModelUnderTest

OVER_TIME = ".temporal"


def attention_layers(inside: Intermediates) -> dict[str, Tensor]:
    """The weights of all layers of a model that answers by a class token, in its order; divided attention is time,
    then space.

    By the name of their update ratio, 'blocks.0.spatial'. Within a frame (B, T, h, N, N), class token first where it
    takes part; over time (B, N, h, T, T), where it never does; over all tokens at once (B, h, N, N), class token first.
    """
    layers = {f"{name}.joint": weights for name, weights in inside.joint_attention.items()}
    for name, weights in () if layers else inside.spatial_attention.items():
        if name in inside.attention:
            layers[name + OVER_TIME] = inside.attention[name].weights
        layers[f"{name}.spatial"] = weights
    return layers


@dataclass(frozen=True, eq=False)
class Mixing:
    """What a layer does to a row r of relevance: keep * r + r M.

    keep_B: how much of each token stays itself. M: the layer's weights with one number for all heads; the class token's
    row of a frame holds what this frame alone gives it.
    """

    over_time: bool
    keep_B: Tensor
    M: Tensor


def class_token_row(layers: list[Mixing], inside: Intermediates) -> Tensor:
    """(B, S, H, W): what the class token's row of the product of all layers gives to every patch."""
    batch, _, steps, height, width = list(inside.features.values())[-1].x_BCTHW.shape
    frames, places = (steps, height * width) if layers[-1].M.ndim == 4 else (1, steps * height * width)
    keep_B = layers[-1].keep_B
    class_B, row_BTN = torch.ones_like(keep_B), keep_B.new_zeros(batch, frames, places)
    for layer in reversed(layers):
        if layer.over_time:
            row_BTN = through_time(row_BTN, layer)
        else:
            class_B, row_BTN = through_space(class_B, row_BTN, layer)
    return row_BTN.reshape(batch, steps, height, width)


def through_time(row_BTN: Tensor, layer: Mixing) -> Tensor:
    """Every place by itself; the class token takes no part."""
    given_BTN = torch.einsum("btn,bntu->bun", row_BTN, layer.M)
    return rearrange(layer.keep_B, "b -> b 1 1") * row_BTN + given_BTN


def through_space(class_B: Tensor, row_BTN: Tensor, layer: Mixing) -> tuple[Tensor, Tensor]:
    """Every frame by itself, and the class token, which reads them all."""
    M_BTNN = layer.M if layer.M.ndim == 4 else layer.M.unsqueeze(1)
    keep_B11 = rearrange(layer.keep_B, "b -> b 1 1")
    if M_BTNN.shape[-1] == row_BTN.shape[-1]:  # ConViT's first layers have no class token yet
        return class_B, keep_B11 * row_BTN + torch.einsum("btn,btnm->btm", row_BTN, M_BTNN)
    class_BT1 = class_B[:, None, None].expand(-1, row_BTN.shape[1], 1)
    given = torch.einsum("btn,btnm->btm", torch.cat([class_BT1, row_BTN], dim=2), M_BTNN)
    return layer.keep_B * class_B + given[:, :, 0].sum(dim=1), keep_B11 * row_BTN + given[:, :, 1:]


class AttentionRollout(Attribution):
    """The class token's row of the product over layers of (1 - w) I + w A, with A the mean over heads.

    w is 0.5 as published, which assumes that a layer adds as much as it is added to. Where w is measured it is what the
    branch really adds: r / (1 + r) for r the norm of the update over the norm of what it is added to, clip by clip.

    Divided attention is two layers, over time and within each frame. The class token takes no part in the first, and in
    the second a copy of it reads each frame and the copies are averaged. The MLPs between are left out, as published.
    """

    source = "S. Abnar, W. Zuidema: Quantifying Attention Flow in Transformers, ACL 2020"

    def __init__(self, measured: bool = False):
        self.measured = measured
        self.name = "attention_rollout_measured" if measured else "attention_rollout"
        self.title = "Attention Rollout" + (" with measured residuals" if measured else "")

    def applies_to(self, model: ClipModel) -> bool:
        return model.class_token

    @torch.no_grad()
    def relevance(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> Tensor:
        _, inside = tested.model.forward_intermediates(clip_BCTHW)
        mixing = [self.mixing(name, weights, inside) for name, weights in attention_layers(inside).items()]
        times_S = list(inside.features.values())[-1].times
        return on_clip(class_token_row(mixing, inside), times_S, tested.model, clip_BCTHW)

    def mixing(self, name: str, weights: Tensor, inside: Intermediates) -> Mixing:
        ratio_B, over_time = inside.update_ratio[name], name.endswith(OVER_TIME)
        share_B = ratio_B / (1 + ratio_B) if self.measured else torch.full_like(ratio_B, 0.5)
        M = weights.mean(dim=-3)
        if M.ndim == 4 and not over_time:
            M[:, :, 0] /= M.shape[1]  # the mean over the class token's copies, of which ViT has but one
        return Mixing(over_time, 1 - share_B, M * share_B.reshape(-1, *[1] * (M.ndim - 1)))


class TransformerExplainability(Attribution):
    """The class token's row of R, from R = I by R <- R + E R in every layer, E the mean over heads of (dy/dA * A)+.

    y is the log-probability of the top grade. This is the authors' second form (ICCV 2021), which takes the attention
    itself where the first (CVPR 2021, which the sperm paper cites) takes its relevance, propagated by LRP through every
    module.

    Divided attention is two layers, over time and within each frame. The class token's copies, one a frame, are added
    up here: dy/dA of a copy holds its share of their mean already. In the hybrid, which has no class token, relevance
    starts at the pooled places: pooling is read as one more layer of attention.
    """

    name = "transformer_explainability"
    title = "Transformer Explainability"
    source = (
        "H. Chefer, S. Gur, L. Wolf: Generic Attention-model Explainability for Interpreting Bi-Modal and "
        "Encoder-Decoder Transformers, ICCV 2021, equations 5 and 6; named for their CVPR 2021 paper"
    )
    passes_a_clip = 3

    def applies_to(self, model: ClipModel) -> bool:
        return model.class_token or len(model.temporal_layers) > 0

    @torch.enable_grad()
    def relevance(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> Tensor:
        model = tested.model
        logits_BK, inside = look_inside(tested, clip_BCTHW)
        if not model.class_token:
            maps = before_attention(model, inside, top_grade(logits_BK))
            return sum(on_clip(map_BSHW, times_S, model, clip_BCTHW) for map_BSHW, times_S in maps.values())
        layers = attention_layers(inside)
        speaking = speaking_for(top_grade(logits_BK), list(layers.values()))
        ones_B = torch.ones_like(logits_BK[:, 0])
        mixing = [Mixing(name.endswith(OVER_TIME), ones_B, E) for name, E in zip(layers, speaking, strict=True)]
        times_S = list(inside.features.values())[-1].times
        return on_clip(class_token_row(mixing, inside), times_S, model, clip_BCTHW)


def speaking_for(answer_B: Tensor, weights: list[Tensor]) -> list[Tensor]:
    """E of each layer: (..., h, Nq, Nk) -> (..., Nq, Nk)."""
    gradients = torch.autograd.grad(answer_B.sum(), weights)
    return [(dA * A.detach()).relu().mean(dim=-3) for dA, A in zip(gradients, weights, strict=True)]


def before_attention(model: ClipModel, inside: Intermediates, answer_B: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Relevance (B, S, H, W) and the times (S,) of each pathway before the last attention over time.

    For models that answer by pooled places. Pooling is read as one more attention layer, from the answer to all places
    of all pathways: what Transformer Explainability takes of such a layer, (dy/dA * A)+, is what a place adds to the
    answer, Grad-CAM's map after the last attention. From there R <- R + E R leads through that attention, at each place
    between all frames of all pathways. Before it lie convolutions, where the rule does not apply.
    """
    layer = model.temporal_layers[-1]
    attention = inside.attention[layer]
    after = {pathway: inside.features[f"{pathway}.{layer}"] for pathway in last_stages(model, inside)}
    wanted = [attention.weights, *(features.x_BCTHW for features in after.values())]
    dA, *gradients = torch.autograd.grad(answer_B.sum(), wanted)
    E_BNQK = (dA * attention.weights.detach()).relu().mean(dim=2)
    maps = {
        pathway: cam(features.x_BCTHW, gradient)
        for (pathway, features), gradient in zip(after.items(), gradients, strict=True)
    }
    maps = through_attention(maps, E_BNQK, tuple(attention.query_pathways), tuple(attention.key_pathways))
    return {pathway: (map_BSHW, after[pathway].times) for pathway, map_BSHW in maps.items()}


def through_attention(
    maps: dict[str, Tensor], E_BNQK: Tensor, query_pathways: tuple[str, ...], key_pathways: tuple[str, ...]
) -> dict[str, Tensor]:
    """r <- r + r E at every place; queries are the steps of the query pathways one after the other, and so are keys."""
    height = maps[key_pathways[0]].shape[2]
    row_BNQ = torch.cat([rearrange(maps[pathway], "b s h w -> b (h w) s") for pathway in query_pathways], dim=2)
    given_BNK = torch.einsum("bnq,bnqk->bnk", row_BNQ, E_BNQK)
    steps = [maps[pathway].shape[1] for pathway in key_pathways]
    maps = dict(maps)
    for pathway, given in zip(key_pathways, given_BNK.split(steps, dim=2), strict=True):
        maps[pathway] = maps[pathway] + rearrange(given, "b (h w) s -> b s h w", h=height)
    return maps
