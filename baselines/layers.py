"""What several models are made of: attention whose weights can be looked at, position tables, a classifier.

Attention: A. Vaswani et al.: Attention Is All You Need, NeurIPS 2017, equation 1.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

DROPOUT = {"paper": 0.5, "tiny": 0.0}
"""of networks that have it before their classifier, by size; a tiny one's few features are too few to lose half"""


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

    def __init__(self, dim: int, heads: int, qkv_bias: bool = True):
        super().__init__()
        if dim % heads:
            raise ValueError(f"width {dim} is no multiple of {heads} heads")
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
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


def resize_space(table_1ND: Tensor, side: int) -> Tensor:
    """A learned table of a square grid (1, N, D), resampled to `side` x `side`: (1, side * side, D)."""
    old = math.isqrt(int(table_1ND.shape[1]))
    if old == side:
        return table_1ND
    grid = rearrange(table_1ND.float(), "1 (h w) d -> 1 d h w", h=old)
    grid = F.interpolate(grid, size=(side, side), mode="bicubic", antialias=True, align_corners=False)
    return rearrange(grid, "1 d h w -> 1 (h w) d").to(table_1ND.dtype)


def resize_time(table_1TD: Tensor, frames: int) -> Tensor:
    """A learned table of steps in time (1, T, D), resampled linearly to `frames` steps.

    The TimeSformer authors take the nearest entry; then two neighbours of 16 frames would share one of 8.
    """
    if table_1TD.shape[1] == frames:
        return table_1TD
    steps = rearrange(table_1TD.float(), "1 t d -> 1 d t")
    steps = F.interpolate(steps, size=frames, mode="linear", align_corners=False)
    return rearrange(steps, "1 d t -> 1 t d").to(table_1TD.dtype)


def resize_space_time(table_1ND: Tensor, old_frames: int, frames: int, side: int) -> Tensor:
    """A learned table of (t h w) positions, resampled in space and then in time: (1, frames * side * side, D)."""
    per_step = rearrange(table_1ND, "1 (t n) d -> t 1 n d", t=old_frames)
    in_space = torch.cat([resize_space(step, side) for step in per_step])
    in_time = resize_time(rearrange(in_space, "t n d -> 1 t (n d)"), frames)
    return rearrange(in_time, "1 t (n d) -> 1 (t n) d", n=side * side)


def fresh_classifier(old: nn.Linear, num_grades: int) -> nn.Linear:
    """A linear layer for `num_grades`, initialised as pytorchvideo and torchvision do."""
    new = nn.Linear(old.in_features, num_grades).to(old.weight)
    nn.init.normal_(new.weight, std=0.01)
    nn.init.zeros_(new.bias)
    return new
