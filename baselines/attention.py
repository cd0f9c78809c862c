"""Multi-head self-attention whose weights can be looked at.

A. Vaswani et al.: Attention Is All You Need, NeurIPS 2017, equation 1.
"""

from __future__ import annotations

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


def attend(q: Tensor, k: Tensor, v: Tensor, explicit: bool = False) -> tuple[Tensor, Tensor | None]:
    """softmax(q k' / sqrt(D)) v: (..., h, N, D), and the weights (..., h, N, N) where `explicit`, else None.

    The weights lie on the way to the output, so gradients with respect to them exist. Without them the
    fused kernel is used, which computes the same to rounding.
    """
    if not explicit:
        lead = q.shape[:-3]
        out = F.scaled_dot_product_attention(q.flatten(0, -4), k.flatten(0, -4), v.flatten(0, -4))
        return out.unflatten(0, lead), None
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    weights = scores.float().softmax(dim=-1).to(v.dtype)
    return weights @ v, weights


class Attention(nn.Module):
    """Self-attention over N tokens of width `dim`, with the parameter names of timm and the TimeSformer authors."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        if dim % heads:
            raise ValueError(f"width {dim} is no multiple of {heads} heads")
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, explicit: bool = False) -> tuple[Tensor, Tensor | None]:
        """(..., N, D) -> (..., N, D), and the weights (..., h, N, N) where `explicit`, else None."""
        q, k, v = rearrange(self.qkv(x), "... n (qkv h d) -> qkv ... h n d", qkv=3, h=self.heads)
        out, weights = attend(q, k, v, explicit)
        return self.proj(rearrange(out, "... h n d -> ... n (h d)")), weights


def norm_ratio(update: Tensor, x: Tensor) -> Tensor:
    """|update| / |x| of each clip: (B,)."""
    update_norm_B, norm_B = (values.detach().flatten(1).float().norm(dim=1) for values in (update, x))
    return update_norm_B / norm_B.clamp_min(1e-12)
