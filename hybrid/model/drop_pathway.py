"""Training that keeps Slow from leaning on Fast alone."""

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

    def draw(self, batch: int, device: torch.device) -> Tensor | None:
        """Which clips keep Fast, (B, 1, 1, 1, 1) booleans; None where all do."""
        if not self.training or not self.share:
            return None
        return torch.rand(batch, 1, 1, 1, 1, device=device) >= self.share


def handed_over(fast_BCTHW: Tensor, keep_B1111: Tensor | None) -> Tensor:
    """What the others see of Fast."""
    return fast_BCTHW if keep_B1111 is None else fast_BCTHW * keep_B1111
