"""When the tokens of the attention were seen, and five ways to tell it the times.

Rotary positions: Su et al., RoFormer: Enhanced transformer with rotary position embedding, 2021, section 3.2, with two
changes: the position is a time in seconds, so that pathways of different rates share one scale, and the frequencies are
those a clip can show instead of powers of 10 000 made for long texts.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import interpolate

LOWEST_HZ = 0.25
"""one turn in 4 s: a clip of 2 s (32 frames at 16 a second) stays within half a turn, so its order is unambiguous"""
HIGHEST_HZ = 8.0
"""one turn in two frames at 16 a second: the fastest change such a clip can show"""


@dataclass(frozen=True)
class FrameTimes:
    """When each of a pathway's T tokens was seen, in the three units that the parts of the attention need."""

    frame_T: Tensor
    """number of the clip's frame each token stands for, integer"""
    index_T: Tensor
    """place of each token in its own pathway: 0, 1, 2, ... whatever the pathway's rate"""
    num_frames: int
    """frames of the clip"""
    frame_rate: float
    """frames a second of the clip"""

    def __len__(self) -> int:
        return len(self.frame_T)

    @property
    def seconds_T(self) -> Tensor:
        return self.frame_T / self.frame_rate

    @classmethod
    def of_frames(cls, frame_T: Tensor, num_frames: int, frame_rate: float) -> FrameTimes:
        """Of one pathway that was given these frames of the clip."""
        return cls(frame_T, torch.arange(len(frame_T), device=frame_T.device), num_frames, frame_rate)

    @classmethod
    def joined(cls, parts: list[FrameTimes]) -> FrameTimes:
        """Of several pathways' tokens, one after the other."""
        frame_T = torch.cat([part.frame_T for part in parts])
        index_T = torch.cat([part.index_T for part in parts])
        return cls(frame_T, index_T, parts[0].num_frames, parts[0].frame_rate)


class NoPositions(nn.Module):
    """The order of the frames is invisible to the attention. Also the interface of the other four."""

    def __init__(self, width: int, heads: int, num_frames: int):
        super().__init__()

    def add(self, token_BSTD: Tensor, times: FrameTimes) -> Tensor:
        """Tokens before queries, keys and values are made of them."""
        return token_BSTD

    def rotate(self, x_BShTD: Tensor, times: FrameTimes) -> Tensor:
        """Queries or keys, by head."""
        return x_BShTD

    def bias(self, query_times: FrameTimes, key_times: FrameTimes) -> Tensor | None:
        """What is added to the scores of queries with keys, (heads, Tq, Tk)."""
        return None

    def resized(self, name: str, table: Tensor) -> Tensor:
        """A checkpoint's table `name` at the size of the own."""
        raise NotImplementedError(f"{type(self).__name__} has no table")


class LearnedPositions(NoPositions):
    """A learned vector a frame of the clip, stretched linearly over clips of another length. spread: of its numbers,
    at first."""

    def __init__(self, width: int, heads: int, num_frames: int, spread: float = 0.02):
        super().__init__(width, heads, num_frames)
        self.table_TD = nn.Parameter(spread * torch.randn(num_frames, width))

    def add(self, token_BSTD: Tensor, times: FrameTimes) -> Tensor:
        return token_BSTD + stretched(self.table_TD, times.num_frames)[times.frame_T].to(token_BSTD.dtype)

    def resized(self, name: str, table: Tensor) -> Tensor:
        return stretched(table, len(self.table_TD))


def stretched(table_TD: Tensor, num_frames: int) -> Tensor:
    """A table of positions at another number of frames, linearly, first on first and last on last."""
    if len(table_TD) == num_frames:
        return table_TD
    steps = rearrange(table_TD.float(), "t d -> 1 d t")
    return rearrange(interpolate(steps, size=num_frames, mode="linear", align_corners=True), "1 d t -> t d")


def rotary_frequencies(head_dim: int) -> Tensor:
    """(head_dim / 2,) frequencies in Hz, evenly spaced on a logarithmic scale from LOWEST_HZ to HIGHEST_HZ."""
    if head_dim % 2 or head_dim < 4:
        raise ValueError(
            f"rotary positions turn pairs of channels: a head needs an even width from 4 up, not {head_dim}"
        )
    steps = torch.linspace(0, 1, head_dim // 2)
    return LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** steps


def apply_rotary(x_hTD: Tensor, time_T: Tensor, frequency_P: Tensor) -> Tensor:
    """Turn each pair of channels (2p, 2p + 1) by the angle 2 pi frequency_P time_T; lengths are kept.

    x_hTD: queries or keys, with any dimensions before T and D. time_T: seconds. frequency_P: Hz, P = D / 2.
    Angles are taken in float32.
    """
    angle_TP = 2 * torch.pi * time_T.float()[:, None] * frequency_P.float()
    cos_TP, sin_TP = angle_TP.cos(), angle_TP.sin()
    even, odd = rearrange(x_hTD.float(), "... t (p two) -> two ... t p", two=2)
    turned = torch.stack([even * cos_TP - odd * sin_TP, even * sin_TP + odd * cos_TP], dim=-1)
    return rearrange(turned, "... t p two -> ... t (p two)").to(x_hTD.dtype)


class RotaryBySeconds(NoPositions):
    """Rotary positions at the real time of each token, one scale for both pathways."""

    def __init__(self, width: int, heads: int, num_frames: int):
        super().__init__(width, heads, num_frames)
        # a constant, not for checkpoints
        self.register_buffer("frequency_P", rotary_frequencies(width // heads), persistent=False)

    def time(self, times: FrameTimes) -> Tensor:
        return times.seconds_T

    def rotate(self, x_BShTD: Tensor, times: FrameTimes) -> Tensor:
        return apply_rotary(x_BShTD, self.time(times), self.frequency_P)


class RotaryByIndex(RotaryBySeconds):
    """Rotary positions by place in the own pathway, as if Slow's frames followed each other at Fast's rate.

    For Fast the same as by seconds; Slow's frames keep their order but not their distance. The control
    that shows what real times are worth.
    """

    def time(self, times: FrameTimes) -> Tensor:
        return times.index_T / times.frame_rate


class RelativeBias(NoPositions):
    """A learned number a head for each distance in time, added to the scores; zero at first.

    Distances are counted in frames of the clip and have a sign. One beyond the table, in a longer clip, takes the
    table's last entry. After Raffel et al., Exploring the limits of transfer learning (T5), 2020, section 2.1, and Liu
    et al., Swin transformer, 2021, eq. 4.
    """

    def __init__(self, width: int, heads: int, num_frames: int):
        super().__init__(width, heads, num_frames)
        self.table_Dh = nn.Parameter(torch.zeros(2 * num_frames - 1, heads))  # D distances, from the past to the future

    def bias(self, query_times: FrameTimes, key_times: FrameTimes) -> Tensor:
        farthest = len(self.table_Dh) // 2
        distance_QK = (key_times.frame_T[None, :] - query_times.frame_T[:, None]).clamp(-farthest, farthest)
        return rearrange(self.table_Dh[distance_QK + farthest], "q k h -> h q k")

    def resized(self, name: str, table: Tensor) -> Tensor:
        """Cut to nearer distances, or its ends held for farther ones."""
        farthest, known = len(self.table_Dh) // 2, len(table) // 2
        return table[torch.arange(-farthest, farthest + 1, device=table.device).clamp(-known, known) + known]


POSITIONS = {
    "none": NoPositions,
    "learned": LearnedPositions,
    "relative": RelativeBias,
    "rotary_index": RotaryByIndex,
    "rotary_seconds": RotaryBySeconds,
}
