"""Models whose answer or features are one formula, so that what a measure must find is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from baselines import ClipModel, get_entry
from baselines.contract import Features, Intermediates
from hybrid.analysis.base import InputClips, ModelUnderTest
from hybrid.data.transforms import Normalisation


class Toy(ClipModel):
    """Two grades; the worse one's probability is answer(clip_BCTHW) -> (B,), so the expected grade is 1 + answer.

    look: fills the intermediates, where they are asked for.
    """

    in_channels, num_grades, num_features = 3, 2, 1

    def __init__(
        self,
        answer: Callable[[Tensor], Tensor] = lambda clip_BCTHW: clip_BCTHW.new_full((len(clip_BCTHW),), 0.5),
        look: Callable[[Tensor, Intermediates], None] | None = None,
    ):
        super().__init__()
        self.answer, self.look = answer, look

    def checked(self, clip_BCTHW: Tensor) -> Tensor:
        return clip_BCTHW

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        if into is not None and self.look is not None:
            self.look(clip_BCTHW, into)
        return self.answer(clip_BCTHW.double())

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        return torch.stack([1 - features, features], dim=1).log()


class ExactModel(ModelUnderTest):
    """Answers in double precision, so that nothing is left to rounding."""

    def distribution(self, clip_BCTHW: Tensor) -> Tensor:
        return self.model(clip_BCTHW).softmax(-1)


def under_test(model: ClipModel, name: str = "r3d") -> ModelUnderTest:
    model.eval().requires_grad_(False)
    entry = get_entry(name)
    kind = ExactModel if isinstance(model, Toy) else ModelUnderTest
    return kind(model, name, name, seed=0, normalisation=Normalisation(entry.mean, entry.std))


def with_features(features: Callable[[Tensor], dict[str, tuple[Tensor, list[float]]]]) -> Toy:
    """A toy that shows features(clip) = {stage: (x_BCTHW, frame of each step)}."""

    def look(clip_BCTHW: Tensor, into: Intermediates) -> None:
        for stage, (x_BCTHW, frame_S) in features(clip_BCTHW).items():
            pathway = stage.rpartition(".")[0]  # 'slow' of 'slow.res5'
            into.features[stage] = Features(x_BCTHW, torch.tensor(frame_S) / ClipModel.frame_rate, pathway)

    return Toy(look=look)


def brightness(clip_BCTHW: Tensor) -> Tensor:
    """(B, T)"""
    return clip_BCTHW.mean(dim=(1, 3, 4))


def noise_clips(number: int = 2, frames: int = 16, grades: int = 2, side: int = 8) -> InputClips:
    """White noise on frames of random brightness; models that are no toys want 64 pixels a side."""
    generator = torch.Generator().manual_seed(1)
    clip_NCTHW = torch.randn(number, 3, frames, side, side, generator=generator)
    clip_NCTHW += torch.randn(number, 1, frames, 1, 1, generator=generator)
    target_NK = np.random.default_rng(0).dirichlet(np.ones(grades), number)
    return InputClips(clip_NCTHW, target_NK, tuple(f"clip{n}" for n in range(number)), frame_rate=16.0)
