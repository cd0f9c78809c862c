"""Methods that multiply the clip by gradients of the answer: gradient x input, and integrated gradients."""

from collections.abc import Callable

import torch
from captum.attr import InputXGradient
from captum.attr import IntegratedGradients as CaptumIntegratedGradients
from torch import Tensor

from hybrid.analysis.base import Attribution, ModelUnderTest
from hybrid.analysis.perturbations import blurred, temporal_mean


class GradientInput(Attribution):
    """x * d(expected grade)/dx, colours added with their signs; captum's. The cheapest, and the crudest."""

    name = "gradient_input"
    title = "Gradient × input"
    source = "A. Shrikumar, P. Greenside, A. Kundaje: Learning Important Features Through Propagating ..., ICML 2017"
    signed = True
    passes_a_clip = 3

    @torch.enable_grad()
    def relevance(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> Tensor:
        relevance_BCTHW = InputXGradient(tested.expected_grade).attribute(clip_BCTHW.detach().requires_grad_())
        return relevance_BCTHW.detach().sum(dim=1)


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
        self.passes_a_clip = 3 * steps

    def relevance(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> Tensor:
        clip_BCTHW = clip_BCTHW.detach()
        relevance_BCTHW = CaptumIntegratedGradients(tested.expected_grade).attribute(
            clip_BCTHW,
            baselines=self.baseline(clip_BCTHW),
            n_steps=self.steps,
            internal_batch_size=len(clip_BCTHW),  # one step at a time: memory stays that of the caller's batch
        )
        return relevance_BCTHW.detach().sum(dim=1).to(clip_BCTHW)

    def change(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> Tensor:
        """(B,) what the relevance of a clip must sum to."""
        return tested.expected_grade(clip_BCTHW) - tested.expected_grade(self.baseline(clip_BCTHW))


def from_temporal_mean(steps: int = STEPS) -> IntegratedGradients:
    title = "Integrated gradients from the temporal mean"
    return IntegratedGradients("integrated_gradients", title, temporal_mean, steps)


def from_blur(steps: int = STEPS) -> IntegratedGradients:
    title = "Integrated gradients from the blurred clip"
    return IntegratedGradients("integrated_gradients_blur", title, blurred, steps)
