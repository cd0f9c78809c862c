"""Position tables made for one clip size, used at another."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor


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
