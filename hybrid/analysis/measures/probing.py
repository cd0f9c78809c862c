"""Temporal probing: how the answer changes when the clip's frames come in another order."""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from baselines import ClipModel
from hybrid.analysis.base import InputClips, Measure, MeasureResult, ModelUnderTest
from hybrid.analysis.measures.batching import distributions, each_clip
from hybrid.evaluation.metrics import expected_grade, squared_error


@dataclass(frozen=True)
class TemporalProbing(Measure):
    """Change of the squared error, and |change of the expected grade|, when frames come in another order.

    shuffle: in random order, the mean of `draws`; block shuffle: by quarters, the mean over all other orders of the
    last three; reverse; half swap: second half before the first; freeze: the first frame throughout; half speed: the
    first half, every frame twice; double speed: every other frame, twice through. Shuffles leave the first frame (or
    quarter) where it is, so that a model of the first frame alone is unchanged by all but reverse and half swap, which
    show it another frame: what those do to an image model is no matter of order.

    A large change proves that order is used. A small one does not prove that time is not, and a large error may
    be that of a clip unlike any it was trained on: whether the task can be learned without order, models trained on
    perturbed clips tell, which is an experiment and no measure.
    """

    name = "probing"
    title = "Temporal probing"
    source = (
        "Huang et al.: What makes a video a video, CVPR 2018; Sevilla-Lara et al.: Only time can tell, 2019, arXiv "
        "1907.08340; Broome et al.: Recur, attend or convolve, 2021, arXiv 2112.12175"
    )

    draws: int = 4

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return 1 + sum(len(order_DT) for order_DT in orders(num_frames, self.draws).values())

    def least(self, name: str) -> float:
        return -np.inf if name.endswith("MSE") else 0.0

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        order_of = orders(clips.clip_NCTHW.shape[2], self.draws)
        figures = {f"{name}: {what}": [] for what in ("answer (grades)", "MSE") for name in order_of}
        for clip_CTHW, target_K in zip(each_clip(tested, clips, self.title), clips.target_NK, strict=True):
            versions = [clip_CTHW, *(clip_CTHW[:, order_T] for order_DT in order_of.values() for order_T in order_DT)]
            dist_VK = distributions(tested, versions, batch_size)
            error_V = errors(dist_VK, target_K)
            grade_V = expected_grade(dist_VK)
            first = 1
            for name, order_DT in order_of.items():
                these = slice(first, first + len(order_DT))
                figures[f"{name}: answer (grades)"].append(np.abs(grade_V[these] - grade_V[0]).mean())
                figures[f"{name}: MSE"].append((error_V[these] - error_V[0]).mean())
                first = these.stop
        return MeasureResult(figures={name: np.array(values) for name, values in figures.items()})


def errors(dist_VK: np.ndarray, target_K: np.ndarray) -> np.ndarray:
    """(V,) squared error of each version's answer; NaN of a clip without votes."""
    if np.isnan(target_K).any():
        return np.full(len(dist_VK), np.nan)
    return squared_error(dist_VK, np.broadcast_to(target_K, dist_VK.shape))


def orders(num_frames: int, draws: int) -> dict[str, np.ndarray]:
    """By name: (D, T) numbers of the frames that are shown, for D versions."""
    frame_T = np.arange(num_frames)
    rng = np.random.default_rng(0)
    quarters = np.split(frame_T, 4)
    blocks = [np.concatenate([quarters[0], *rest]) for rest in list(permutations(quarters[1:]))[1:]]
    return {
        "shuffle": np.stack([np.append(0, 1 + rng.permutation(num_frames - 1)) for _ in range(draws)]),
        "block shuffle": np.stack(blocks),
        "reverse": frame_T[None, ::-1].copy(),
        "half swap": np.roll(frame_T, num_frames // 2)[None],
        "freeze": np.zeros_like(frame_T)[None],
        "half speed": frame_T[None] // 2,
        "double speed": 2 * frame_T[None] % num_frames,
    }
