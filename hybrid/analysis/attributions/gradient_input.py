"""Gradient x input: the answer's first-order change if each pixel were set to the mean grey of the normalisation."""

from __future__ import annotations

import torch
from captum.attr import InputXGradient
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.attribution import Attribution
from hybrid.analysis.subject import Subject


class GradientInput(Attribution):
    """x * d(expected grade)/dx, colours added with their signs; captum's. The cheapest, and the crudest."""

    name = "gradient_input"
    title = "Gradient × input"
    source = "A. Shrikumar, P. Greenside, A. Kundaje: Learning Important Features Through Propagating ..., ICML 2017"
    signed = True

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return 3

    @torch.enable_grad()
    def relevance(self, subject: Subject, clip_BCTHW: Tensor) -> Tensor:
        relevance_BCTHW = InputXGradient(subject.expected_grade).attribute(clip_BCTHW.detach().requires_grad_())
        return relevance_BCTHW.detach().sum(dim=1)
