"""Grade clips from within a program: frames in, a distribution over the grades out.

grader = load_grader("runs/mine/hybrid")
distribution_K = grader(frames_THWC, rate=50)        # of grader.grades
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid.data.oddities import oddities
from hybrid.device import choose_machine
from hybrid.training.doubts import doubts
from hybrid.training.ensemble import Ensemble, find_checkpoints


def load_grader(path: Path | str, *, model: str | None = None, accelerator: str = "auto") -> Grader:
    """The models that `tools/predict.py` would answer with.

    path: a checkpoint, or the folder of a run, a model or an experiment; of a folder with several folds all models
    answer, and the mean is taken. model: which one, where the experiment has several. accelerator: auto, cpu, gpu or
    mps. UserError where there is no such model. What makes its answers mean less is a warning.
    """
    checkpoints = find_checkpoints(Path(path), model)
    for doubt in doubts(checkpoints):
        warnings.warn(doubt, stacklevel=2)
    return Grader(Ensemble.load(checkpoints, choose_machine(accelerator)))


@dataclass(frozen=True, eq=False)
class Grader:
    """Called with frames it answers with a distribution over `grades`. Research software, no medical device."""

    ensemble: Ensemble

    @property
    def grades(self) -> tuple[str, ...]:
        """Names of the K grades, best first."""
        return self.ensemble.grades

    def __call__(self, frames: np.ndarray, rate: float) -> np.ndarray:
        """(K,) float32 probabilities, which sum to 1: what `tools/predict.py` says of a video of these frames.

        frames: uint8 of any size, (T, H, W) grey or (T, H, W, 3) RGB, of one sperm. rate: how many there are a second.
        They are resampled, scaled and normalised as in training; of a longer clip the start is taken. What is odd
        about them, such as a clip that is too short, is a warning. Frames that are no clip are a UserError.
        """
        from hybrid.data.video import clip_of_frames  # here, for a run needs no decoder

        clip = clip_of_frames(frames, rate, self.ensemble.spec)
        for note in oddities(clip.facts, self.ensemble.spec, self.ensemble.sides).notes:
            warnings.warn(f"the clip is {note}", stacklevel=2)
        return self.ensemble.distributions(clip.frames_THWC[None], ["the clip"])[:, 0].mean(0)
