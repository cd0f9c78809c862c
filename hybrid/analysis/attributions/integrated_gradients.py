"""Integrated gradients: the answer's change from a baseline to the clip, shared out among the pixels."""

from __future__ import annotations

from collections.abc import Callable

from captum.attr import IntegratedGradients as CaptumIntegratedGradients
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.attribution import Attribution
from hybrid.analysis.attributions.fills import blurred, temporal_mean
from hybrid.analysis.subject import Subject

STEPS = 32
"""points of the Gauss-Legendre rule the path integral is summed over"""


class IntegratedGradients(Attribution):
    """(x - x') times the mean gradient along the straight path from the baseline x' to the clip x; captum's.

    The sum over all pixels is the difference of the two expected grades (completeness). Colours are added with their
    signs, so that this holds for pixels. A baseline sees what it takes away alone: from the temporal mean on it is
    motion, from the blurred clip on it is the cell.
    """

    source = "M. Sundararajan, A. Taly, Q. Yan: Axiomatic Attribution for Deep Networks, ICML 2017"
    signed = True

    def __init__(self, name: str, title: str, baseline: Callable[[Tensor], Tensor], steps: int = STEPS):
        self.name, self.title, self.baseline, self.steps = name, title, baseline, steps

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return 3 * self.steps

    def relevance(self, subject: Subject, clip_BCTHW: Tensor) -> Tensor:
        clip_BCTHW = clip_BCTHW.detach()
        relevance_BCTHW = CaptumIntegratedGradients(subject.expected_grade).attribute(
            clip_BCTHW,
            baselines=self.baseline(clip_BCTHW),
            n_steps=self.steps,
            internal_batch_size=len(clip_BCTHW),  # one step at a time: memory stays that of the caller's batch
        )
        return relevance_BCTHW.detach().sum(dim=1).to(clip_BCTHW)

    def change(self, subject: Subject, clip_BCTHW: Tensor) -> Tensor:
        """(B,) what the relevance of a clip must sum to."""
        return subject.expected_grade(clip_BCTHW) - subject.expected_grade(self.baseline(clip_BCTHW))


def from_temporal_mean(steps: int = STEPS) -> IntegratedGradients:
    title = "Integrated gradients from the temporal mean"
    return IntegratedGradients("integrated_gradients", title, temporal_mean, steps)


def from_blur(steps: int = STEPS) -> IntegratedGradients:
    title = "Integrated gradients from the blurred clip"
    return IntegratedGradients("integrated_gradients_blur", title, blurred, steps)
