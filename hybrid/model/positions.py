"""How the attention knows the time of its tokens: four choices behind one interface."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import interpolate

from hybrid.model.clock import Clock
from hybrid.model.rotary import rotary_frequencies, rotate


class NoPositions(nn.Module):
    """The order of the frames is invisible to the attention. Also the interface of the other three."""

    def __init__(self, width: int, heads: int, num_frames: int):
        super().__init__()

    def add(self, token_NTD: Tensor, clock: Clock) -> Tensor:
        """Tokens before queries, keys and values are made of them."""
        return token_NTD

    def turn(self, x_NhTD: Tensor, clock: Clock) -> Tensor:
        """Queries or keys, by head."""
        return x_NhTD


class LearnedPositions(NoPositions):
    """A learned vector a frame of the clip, stretched linearly over clips of another length."""

    def __init__(self, width: int, heads: int, num_frames: int):
        super().__init__(width, heads, num_frames)
        self.table_TD = nn.Parameter(0.02 * torch.randn(num_frames, width))

    def add(self, token_NTD: Tensor, clock: Clock) -> Tensor:
        return token_NTD + stretched(self.table_TD, clock.num_frames)[clock.frame_T].to(token_NTD.dtype)


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

    def turn(self, x_NhTD: Tensor, clock: Clock) -> Tensor:
        return rotate(x_NhTD, self.time(clock), self.frequency_P)


class RotaryByIndex(RotaryBySeconds):
    """Rotary positions by place in the own pathway, as if Slow's frames followed each other at Fast's rate.

    For Fast the same as by seconds; Slow's frames keep their order but not their distance. The control
    that shows what real times are worth.
    """

    def time(self, clock: Clock) -> Tensor:
        return clock.index_T / clock.frame_rate


POSITIONS = {
    "none": NoPositions,
    "learned": LearnedPositions,
    "rotary_index": RotaryByIndex,
    "rotary_seconds": RotaryBySeconds,
}
