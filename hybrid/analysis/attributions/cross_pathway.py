"""Relevance carried back through the hybrid's last attention over time, from one pathway to the other.

The hybrid answers by pooled places, not by a class token. Pooling is read as one more attention layer, from the answer
to all places of both pathways: what Transformer Explainability takes of such a layer, (dy/dA * A)+, is what a place
adds to the answer, Grad-CAM's map after the last attention. From there R <- R + E R leads through that attention, at
each place between all frames of both pathways. What lies before it are convolutions, where the rule does not apply.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor

from baselines.contract import Intermediates
from hybrid.analysis.attributions.grad_cam import PATHWAYS, cam
from hybrid.model.hybrid import Hybrid


def before_attention(model: Hybrid, inside: Intermediates, answer_B: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Relevance (B, S, H, W) and the times (S,) of both pathways before the last attention."""
    stage = model.temporal_layers[-1]
    attention = inside.attention[stage]
    after = {pathway: inside.features[f"{pathway}.{stage}"] for pathway in PATHWAYS}
    wanted = [attention.weights, *(features.x_BCTHW for features in after.values())]
    dA, *gradients = torch.autograd.grad(answer_B.sum(), wanted)
    E_BNQK = (dA * attention.weights.detach()).relu().mean(dim=2)
    maps = {
        pathway: cam(features.x_BCTHW, gradient)
        for (pathway, features), gradient in zip(after.items(), gradients, strict=True)
    }
    visibility = model.temporal[stage].visibility
    maps = through_attention(maps, E_BNQK, visibility.asking, visibility.read)
    return {pathway: (map_BSHW, after[pathway].times) for pathway, map_BSHW in maps.items()}


def through_attention(
    maps: dict[str, Tensor], E_BNQK: Tensor, asking: tuple[str, ...], read: tuple[str, ...]
) -> dict[str, Tensor]:
    """r <- r + r E at every place: queries are the asking pathways' steps one after the other, keys the read ones'."""
    height = maps[read[0]].shape[2]
    row_BNQ = torch.cat([rearrange(maps[pathway], "b s h w -> b (h w) s") for pathway in asking], dim=2)
    given_BNK = torch.einsum("bnq,bnqk->bnk", row_BNQ, E_BNQK)
    steps = [maps[pathway].shape[1] for pathway in read]
    maps = dict(maps)
    for pathway, given in zip(read, given_BNK.split(steps, dim=2), strict=True):
        maps[pathway] = maps[pathway] + rearrange(given, "b (h w) s -> b s h w", h=height)
    return maps
