"""Relevance carried from the class token back through the attention layers, to the patches of the clip.

A layer is a matrix over tokens, and what a chain of layers does is their product. Only the class token's row of it is
wanted, so the row is carried through the layers from the last to the first and no matrix of all tokens is ever made:
divided attention's is block-sparse, and ViViT's has thousands of tokens a side.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from baselines.contract import Intermediates


@dataclass(frozen=True, eq=False)
class AttentionLayer:
    """One attention layer of a model that answers by a class token.

    name: as its update ratio is called, 'blocks.0.spatial'.
    weights: within a frame (B, T, h, N, N), class token first where it takes part; over time (B, N, h, T, T), where it
    never does; over all tokens at once (B, h, N, N), class token first.
    """

    name: str
    weights: Tensor

    @property
    def over_time(self) -> bool:
        return self.name.endswith(".temporal")


def attention_layers(inside: Intermediates) -> list[AttentionLayer]:
    """All layers in the model's order; divided attention is time, then space."""
    joint = [AttentionLayer(f"{name}.joint", weights) for name, weights in inside.joint_attention.items()]
    if joint:
        return joint
    layers = []
    for name, weights in inside.spatial_attention.items():
        if name in inside.attention:
            layers.append(AttentionLayer(f"{name}.temporal", inside.attention[name].weights))
        layers.append(AttentionLayer(f"{name}.spatial", weights))
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
