"""Multi-head self-attention whose weights can be looked at.

A. Vaswani et al.: Attention Is All You Need, NeurIPS 2017, equation 1.
"""

from __future__ import annotations

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


def attend(q_BhND: Tensor, k_BhND: Tensor, v_BhND: Tensor, explicit: bool = False) -> tuple[Tensor, Tensor | None]:
    """softmax(q k' / sqrt(D)) v: (B, h, N, D), and the weights (B, h, N, N) where `explicit`, else None.

    The weights lie on the way to the output, so gradients with respect to them exist. Without them the
    fused kernel is used, which computes the same to rounding.
    """
    if not explicit:
        return F.scaled_dot_product_attention(q_BhND, k_BhND, v_BhND), None
    scores_BhNN = (q_BhND * q_BhND.shape[-1] ** -0.5) @ k_BhND.transpose(-2, -1)
    weights_BhNN = scores_BhNN.float().softmax(dim=-1).to(v_BhND.dtype)
    return weights_BhNN @ v_BhND, weights_BhNN


class Attention(nn.Module):
    """Self-attention over N tokens of width `dim`, with the parameter names of timm and the TimeSformer authors."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        if dim % heads:
            raise ValueError(f"width {dim} is no multiple of {heads} heads")
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x_BND: Tensor, explicit: bool = False) -> tuple[Tensor, Tensor | None]:
        """(B, N, D) -> (B, N, D), and the weights (B, h, N, N) where `explicit`, else None."""
        q, k, v = rearrange(self.qkv(x_BND), "b n (qkv h d) -> qkv b h n d", qkv=3, h=self.heads)
        out, weights = attend(q, k, v, explicit)
        return self.proj(rearrange(out, "b h n d -> b n (h d)")), weights
