"""What an attribution is: relevance of every pixel of every frame for one model's answer."""

from __future__ import annotations

from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.subject import Subject


class Attribution:
    """Interface of the methods that explain one answer; each is a small class in a file of its own.

    The answer explained is the expected grade unless a method says otherwise.
    """

    name: str
    title: str
    source: str
    signed: bool = False
    """whether relevance can be negative; unsigned methods return values from 0 up"""

    def applies_to(self, model: ClipModel) -> bool:
        return True

    def passes(self, model: ClipModel, num_frames: int) -> float:
        """Forward passes a clip costs, a backward pass counted as two."""
        raise NotImplementedError

    def relevance(self, subject: Subject, clip_BCTHW: Tensor) -> Tensor:
        """(B, T, H, W), raw: at the clip's size, scaled by nothing; zero for frames that a model does not see."""
        raise NotImplementedError
