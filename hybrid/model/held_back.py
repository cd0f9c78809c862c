"""What keeps Fast's channels from Slow: of some clips in training, or where a lateral connection would bring them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DropPathway(nn.Module):
    """In training, a share of the clips hands nothing of Fast over: zeros come through laterals, branches and the head.

    DropPathway of Xiao et al., Audiovisual SlowFast networks, 2020, section 3.3, there of the audio pathway: what
    learns faster is held back, and the others cannot lean on it. Drawn by clip, where they draw by step, for a set of
    a few hundred clips has few steps. What Fast computes by itself is left alone, and so are its batch statistics.
    """

    def __init__(self, share: float):
        super().__init__()
        self.share = share
        self.keep_B1111: Tensor | None = None

    def draw(self, batch: int, device: torch.device) -> Tensor | None:
        """Which clips of the coming pass keep Fast, (B, 1, 1, 1, 1) booleans; None where all do."""
        dropping = self.training and self.share
        self.keep_B1111 = torch.rand(batch, 1, 1, 1, 1, device=device) >= self.share if dropping else None
        return self.keep_B1111

    def mask_fast(self, fast_BCTHW: Tensor) -> Tensor:
        """What the others see of Fast."""
        return fast_BCTHW if self.keep_B1111 is None else fast_BCTHW * self.keep_B1111

    def mask_lateral(self, lateral: nn.Module, inputs: tuple[list[Tensor]], outputs: list[Tensor]) -> list[Tensor]:
        """A hook of a lateral connection, which puts Fast's channels behind Slow's: those are masked."""
        (slow_before, _), (slow, fast) = inputs[0], outputs
        own, lateral_channels = slow.tensor_split([slow_before.shape[1]], dim=1)
        return [torch.cat([own, self.mask_fast(lateral_channels)], dim=1), fast]


class NoLateral(nn.Module):
    """Zeros where a lateral connection would bring Fast's channels into Slow.

    The widths of all layers stay, so that pretrained weights of everything else still fit.
    """

    def __init__(self, lateral: nn.Module):
        super().__init__()
        self.channels = lateral.conv_fast_to_slow.out_channels

    def forward(self, pathways: list[Tensor]) -> list[Tensor]:
        slow, fast = pathways
        batch, _, frames, height, width = slow.shape
        return [torch.cat([slow, slow.new_zeros(batch, self.channels, frames, height, width)], dim=1), fast]
