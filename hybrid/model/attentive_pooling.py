"""A pooling that may look at some moments and places more than at others."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn


class AttentivePooling(nn.Module):
    """pooled + gate * (weighted mean - plain mean), with a gate a channel that is zero at first.

    The weights of a head are a softmax over all T H W positions of a linear score of the normalised features,
    and each head pools its own share of the channels. The gate is the only zero factor: at first the result is the
    plain mean to the last bit. Few parameters, channels * (heads + 3) + heads, as a small data set asks for.
    Pooling by learned weights after Ilse et al., Attention-based deep multiple instance learning, 2018, eq. 7-8.
    """

    def __init__(self, channels: int, heads: int):
        super().__init__()
        if channels % heads:
            raise ValueError(f"channels must be a multiple of heads, not {channels} of {heads}")
        self.norm = nn.LayerNorm(channels)
        self.score = nn.Linear(channels, heads)
        self.gate_C = nn.Parameter(torch.zeros(channels))
        nn.init.trunc_normal_(self.score.weight, std=channels**-0.5)
        nn.init.zeros_(self.score.bias)

    def forward(self, x_BCTHW: Tensor, pooled_BC: Tensor) -> Tensor:
        """pooled_BC: the plain mean of x_BCTHW over T H W, as the rest of the model computes it."""
        x_BNC = rearrange(x_BCTHW, "b c t h w -> b (t h w) c")
        weight_BNh = self.score(self.norm(x_BNC)).float().softmax(dim=1).to(x_BNC.dtype)
        x_BNhD = rearrange(x_BNC, "b n (h d) -> b n h d", h=weight_BNh.shape[-1])
        weighted_BC = rearrange(torch.einsum("bnh,bnhd->bhd", weight_BNh, x_BNhD), "b h d -> b (h d)")
        return pooled_BC + self.gate_C * (weighted_BC - pooled_BC)
