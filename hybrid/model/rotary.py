"""Rotary positions at real times: a query's product with a key depends on the seconds between them.

Su et al., RoFormer: Enhanced transformer with rotary position embedding, 2021, section 3.2, with
two changes: the position is a time in seconds, so that pathways of different rates share one scale,
and the frequencies are those a clip can show instead of powers of 10 000 made for long texts.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor

LOWEST_HZ = 0.25
"""one turn in 4 s: a clip of 2 s (32 frames at 16 a second) stays within half a turn, so its order is unambiguous"""
HIGHEST_HZ = 8.0
"""one turn in two frames at 16 a second: the fastest change such a clip can show"""


def rotary_frequencies(head_dim: int) -> Tensor:
    """(head_dim / 2,) frequencies in Hz, evenly spaced on a logarithmic scale from LOWEST_HZ to HIGHEST_HZ."""
    if head_dim % 2 or head_dim < 4:
        raise ValueError(
            f"rotary positions turn pairs of channels: a head needs an even width from 4 up, not {head_dim}"
        )
    steps = torch.linspace(0, 1, head_dim // 2)
    return LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** steps


def rotate(x_hTD: Tensor, time_T: Tensor, frequency_P: Tensor) -> Tensor:
    """Turn each pair of channels (2p, 2p + 1) by the angle 2 pi frequency_P time_T; lengths are kept.

    x_hTD: queries or keys, with any dimensions before T and D. time_T: seconds. frequency_P: Hz, P = D / 2.
    Angles are taken in float32.
    """
    angle_TP = 2 * torch.pi * time_T.float()[:, None] * frequency_P.float()
    cos_TP, sin_TP = angle_TP.cos(), angle_TP.sin()
    even, odd = rearrange(x_hTD.float(), "... t (p two) -> two ... t p", two=2)
    turned = torch.stack([even * cos_TP - odd * sin_TP, even * sin_TP + odd * cos_TP], dim=-1)
    return rearrange(turned, "... t p two -> ... t (p two)").to(x_hTD.dtype)
