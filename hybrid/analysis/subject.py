"""A trained model and the clips it is asked about, as every measure sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from baselines import ClipModel
from hybrid.data.normalisation import Normalisation

HEAD, MIDPIECE, TAIL = 1, 2, 3
"""codes in masks, as the simulator writes them"""


@dataclass(frozen=True, eq=False)
class Clips:
    """The N clips of an analysis, normalised for one model.

    clip_NCTHW: float32. mask_NTHW: uint8 at the clips' own size (0 nothing, HEAD, MIDPIECE, TAIL), None where a data
    set has none. frame_rate: frames a second. truth: simulated clips' rows of truth.csv by column, (N,) each, or None.
    """

    clip_NCTHW: Tensor
    target_NK: np.ndarray
    names: tuple[str, ...]
    frame_rate: float
    mask_NTHW: np.ndarray | None = None
    truth: dict[str, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Subject:
    """One trained model: a function from a clip to a distribution, whatever happens inside.

    The model is in eval mode with its parameters frozen; gradients with respect to clips and activations exist.
    """

    model: ClipModel
    name: str
    """of the model in the registry"""
    label: str
    """of this one: 'slowfast', 'hybrid window=3'"""
    seed: int
    """distinguishes trainings of one label"""
    normalisation: Normalisation
    """what turns stored frames into the model's input"""

    @property
    def device(self) -> torch.device:
        """Where clips must be; of a model without parameters the CPU."""
        return next((parameter.device for parameter in self.model.parameters()), torch.device("cpu"))

    def distribution(self, clip_BCTHW: Tensor) -> Tensor:
        """(B, K), rows sum to 1."""
        return self.model(clip_BCTHW).float().softmax(-1)

    def expected_grade(self, clip_BCTHW: Tensor) -> Tensor:
        """(B,) from 1, the best, to K: the one number whose changes and gradients the measures look at."""
        return expected_grade(self.distribution(clip_BCTHW))


def expected_grade(dist_BK: Tensor) -> Tensor:
    """(B,) mean grade, 1 for the best to K for the worst; as `hybrid.evaluation.metrics.expected_grade`."""
    return dist_BK @ torch.arange(1, dist_BK.shape[-1] + 1, device=dist_BK.device, dtype=dist_BK.dtype)
