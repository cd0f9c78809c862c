"""How a branch's tokens come back to their pathway."""

from __future__ import annotations

from torch import Tensor, nn

from hybrid.model.linear import linear


class Landing(nn.Module):
    """A projection to the pathway's channels and a LayerNorm with a scale a channel, `gain` at first.

    The norm bounds the update: its size is its scale's, which grows no faster than the learning rate lets a single
    number grow. A plain projection that is zero at first has no such bound: from fresh weights its update came to be
    more than twice as large as what it was added to. SlowFast's non-local blocks end in a zero-scaled norm as well
    (PySlowFast's `nonlocal_helper.py`); theirs is a BatchNorm, which a batch of a few clips makes noisy.
    """

    def __init__(self, width: int, channels: int, gain: float):
        super().__init__()
        self.project = linear(width, channels)
        self.norm = nn.LayerNorm(channels)
        nn.init.constant_(self.norm.weight, gain)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., channels)"""
        return self.norm(self.project(x))
