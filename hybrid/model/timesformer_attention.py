"""Attention over time in the shape of TimeSformer's, so that it can take its weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.contract import Intermediates
from baselines.timesformer import Block
from hybrid.model.clock import Clock
from hybrid.model.linear import linear
from hybrid.model.temporal_attention import CrossPathwayAttention


class TimeSformerAttention(CrossPathwayAttention):
    """The attention between the LayerNorm before it and the projection after it that a TimeSformer's layer has.

    `temporal_norm1`, `temporal_attn` and `temporal_fc` of Bertasius et al., 2021, figure 2, at their width and heads;
    the two linear layers at the end, with nothing between them, are one. With positions='none' it computes what the
    TimeSformer's layer computes from the same tokens.
    """

    def __init__(self, channels: dict[str, int], *, width: int, **options):
        super().__init__(channels, width=width, **options)
        self.norm_token = nn.LayerNorm(width, eps=1e-6)
        self.project = linear(width, width)

    def mix(
        self,
        token: dict[str, Tensor],
        clocks: dict[str, Clock],
        grid: tuple[int, int],
        into: Intermediates | None = None,
        name: str = "",
    ) -> dict[str, Tensor]:
        token = {pathway: self.norm_token(x_BSTD) for pathway, x_BSTD in token.items()}
        mixed = super().mix(token, clocks, grid, into, name)
        return {pathway: self.project(x_BSTD) for pathway, x_BSTD in mixed.items()}

    @torch.no_grad()
    def take(self, block: Block) -> None:
        """The weights of a TimeSformer's layer."""
        width = self.to_q.in_features
        if block.temporal_attn.qkv.in_features != width or block.temporal_attn.heads != self.heads:
            raise ValueError(
                f"a TimeSformer {block.temporal_attn.qkv.in_features} wide with {block.temporal_attn.heads} heads does "
                f"not fit an attention {width} wide with {self.heads}"
            )
        self.norm_token.load_state_dict(block.temporal_norm1.state_dict())
        for kind in ("weight", "bias"):
            q, kv = getattr(block.temporal_attn.qkv, kind).split([width, 2 * width])
            getattr(self.to_q, kind).copy_(q)
            getattr(self.to_kv, kind).copy_(kv)
        last, proj = block.temporal_fc, block.temporal_attn.proj
        self.project.weight.copy_(last.weight @ proj.weight)
        self.project.bias.copy_(last.weight @ proj.bias + last.bias)
