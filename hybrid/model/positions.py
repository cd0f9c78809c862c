"""How the attention knows the time of its tokens: five choices behind one interface."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import interpolate

from hybrid.model.clock import Clock
from hybrid.model.rotary import rotary_frequencies, rotate


class NoPositions(nn.Module):
    """The order of the frames is invisible to the attention. Also the interface of the other four."""

    def __init__(self, width: int, heads: int, num_frames: int):
        super().__init__()

    def add(self, token_BSTD: Tensor, clock: Clock) -> Tensor:
        """Tokens before queries, keys and values are made of them."""
        return token_BSTD

    def turn(self, x_BShTD: Tensor, clock: Clock) -> Tensor:
        """Queries or keys, by head."""
        return x_BShTD

    def bias(self, clock_q: Clock, clock_k: Clock) -> Tensor | None:
        """What is added to the scores of queries with keys, (heads, Tq, Tk)."""
        return None

    def resized(self, name: str, table: Tensor) -> Tensor:
        """A checkpoint's table `name` at the size of the own."""
        raise NotImplementedError(f"{type(self).__name__} has no table")


class LearnedPositions(NoPositions):
    """A learned vector a frame of the clip, stretched linearly over clips of another length."""

    def __init__(self, width: int, heads: int, num_frames: int):
        super().__init__(width, heads, num_frames)
        self.table_TD = nn.Parameter(0.02 * torch.randn(num_frames, width))

    def add(self, token_BSTD: Tensor, clock: Clock) -> Tensor:
        return token_BSTD + stretched(self.table_TD, clock.num_frames)[clock.frame_T].to(token_BSTD.dtype)

    def resized(self, name: str, table: Tensor) -> Tensor:
        return stretched(table, len(self.table_TD))


def stretched(table_TD: Tensor, num_frames: int) -> Tensor:
    """A table of positions at another number of frames, linearly, first on first and last on last."""
    if len(table_TD) == num_frames:
        return table_TD
    steps = rearrange(table_TD.float(), "t d -> 1 d t")
    return rearrange(interpolate(steps, size=num_frames, mode="linear", align_corners=True), "1 d t -> t d")


class RotaryBySeconds(NoPositions):
    """Rotary positions at the real time of each token, one scale for both pathways."""

    def __init__(self, width: int, heads: int, num_frames: int):
        super().__init__(width, heads, num_frames)
        # a constant, not for checkpoints
        self.register_buffer("frequency_P", rotary_frequencies(width // heads), persistent=False)

    def time(self, clock: Clock) -> Tensor:
        return clock.seconds_T

    def turn(self, x_BShTD: Tensor, clock: Clock) -> Tensor:
        return rotate(x_BShTD, self.time(clock), self.frequency_P)


class RotaryByIndex(RotaryBySeconds):
    """Rotary positions by place in the own pathway, as if Slow's frames followed each other at Fast's rate.

    For Fast the same as by seconds; Slow's frames keep their order but not their distance. The control
    that shows what real times are worth.
    """

    def time(self, clock: Clock) -> Tensor:
        return clock.index_T / clock.frame_rate


class RelativeBias(NoPositions):
    """A learned number a head for each distance in time, added to the scores; zero at first.

    Distances are counted in frames of the clip and have a sign. One beyond the table, in a longer clip, takes the
    table's last entry. After Raffel et al., Exploring the limits of transfer learning (T5), 2020, section 2.1, and Liu
    et al., Swin transformer, 2021, eq. 4.
    """

    def __init__(self, width: int, heads: int, num_frames: int):
        super().__init__(width, heads, num_frames)
        self.table_Dh = nn.Parameter(torch.zeros(2 * num_frames - 1, heads))  # D distances, from the past to the future

    def bias(self, clock_q: Clock, clock_k: Clock) -> Tensor:
        farthest = len(self.table_Dh) // 2
        distance_QK = (clock_k.frame_T[None, :] - clock_q.frame_T[:, None]).clamp(-farthest, farthest)
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
