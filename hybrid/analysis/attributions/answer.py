"""What is explained, and the pass through the model that leaves gradients to explain it by."""

from __future__ import annotations

from torch import Tensor

from baselines.contract import Intermediates
from hybrid.analysis.subject import Subject


def top_grade(logits_BK: Tensor) -> Tensor:
    """(B,) log-probability of the grade a model holds most likely: the answer of methods made for classifiers.

    Of the probability and not the logit: what all logits share is no part of the answer, and no loss has trained it.
    """
    return logits_BK.float().log_softmax(dim=-1).amax(dim=-1)


def look_inside(subject: Subject, clip_BCTHW: Tensor) -> tuple[Tensor, Intermediates]:
    """Logits and intermediates that have gradients, although the model's parameters are frozen."""
    return subject.model.forward_intermediates(clip_BCTHW.detach().requires_grad_())
