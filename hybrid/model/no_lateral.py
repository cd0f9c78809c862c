"""The ablation that takes SlowFast's lateral connections away."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class NoLateral(nn.Module):
    """Zeros where a lateral connection would bring Fast's channels into Slow.

    The widths of all layers stay, so that pretrained weights of everything else still fit.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    @classmethod
    def instead_of(cls, lateral: nn.Module) -> nn.Module:
        """In place of a stage's `multipathway_fusion`; the last stage has none and keeps its identity."""
        return lateral if isinstance(lateral, nn.Identity) else cls(lateral.conv_fast_to_slow.out_channels)

    def forward(self, pathways: list[Tensor]) -> list[Tensor]:
        slow, fast = pathways
        batch, _, frames, height, width = slow.shape
        return [torch.cat([slow, slow.new_zeros(batch, self.channels, frames, height, width)], dim=1), fast]
