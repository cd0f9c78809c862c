"""When each token of a pathway was seen."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Clock:
    """The time of each of T tokens, in the three units that the parts of the attention need."""

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
    def of_frames(cls, frame_T: Tensor, num_frames: int, frame_rate: float) -> Clock:
        """The clock of one pathway that was given these frames of the clip."""
        return cls(frame_T, torch.arange(len(frame_T), device=frame_T.device), num_frames, frame_rate)

    @classmethod
    def joined(cls, clocks: list[Clock]) -> Clock:
        """The clock of several pathways' tokens one after the other."""
        frame_T = torch.cat([clock.frame_T for clock in clocks])
        index_T = torch.cat([clock.index_T for clock in clocks])
        return cls(frame_T, index_T, clocks[0].num_frames, clocks[0].frame_rate)
