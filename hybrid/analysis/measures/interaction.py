"""Pairwise interaction: do two frames tell together what neither tells alone, and how far apart may they be?"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.base import Curve, InputClips, Matrix, Measure, MeasureResult, ModelUnderTest
from hybrid.analysis.measures.batching import ROUNDING, each_clip, expected_grades
from hybrid.analysis.perturbations import FILLS, stand_ins


@dataclass(frozen=True)
class PairwiseInteraction(Measure):
    """I(t, u) = f(x) - f(x without t) - f(x without u) + f(x without t and u), f the expected grade.

    The curve is the mean of |I| over the pairs that are a lag apart; mean lag: sum lag |I| / sum |I| over that
    curve, NaN of a clip without interactions; strength: mean of |I| over all pairs; long range: share of the curve
    from half a clip on.

    A frame is taken away by one and the same stand-in whatever else is away: only then has
    a model that adds up frame by frame no interactions. A sum over pairs has none but at the lags of its pairs. What
    stands in for a frame under `freeze` is its neighbour, so that the lag of one frame is the least certain.
    """

    name = "interaction"
    title = "Pairwise interaction by lag"
    source = (
        "Grabisch and Roubens: An axiomatic approach to the concept of interaction, 1999, for pairs; "
        "Tsang, Rambhatla and Liu: How does this interaction affect me?, NeurIPS 2020"
    )

    fills: tuple[str, ...] = FILLS

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return len(self.fills) * (1 + num_frames + num_frames * (num_frames - 1) / 2)

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        rows = [
            {fill: interactions(tested, clip_CTHW, fill, batch_size) for fill in self.fills}
            for clip_CTHW in each_clip(tested, clips, self.title)
        ]
        figures, curves, matrices = {}, {}, {}
        frames = tuple(str(t) for t in range(clips.clip_NCTHW.shape[2]))
        for fill in self.fills:
            I_NTT = np.stack([row[fill] for row in rows])
            curves[fill] = by_lag(I_NTT, clips.frame_rate)
            figures |= summary(curves[fill], I_NTT, fill)
            matrices[fill] = Matrix(np.abs(I_NTT).mean(axis=0), frames, frames)
        return MeasureResult(figures=figures, curves=curves, matrices=matrices)


def interactions(tested: ModelUnderTest, clip_CTHW: Tensor, fill: str, batch_size: int) -> np.ndarray:
    """I, (T, T) in grades, symmetric with a diagonal of 0."""
    instead_CTHW, frames = stand_ins(clip_CTHW, fill), clip_CTHW.shape[1]
    pairs = list(combinations(range(frames), 2))
    away = [(), *((t,) for t in range(frames)), *pairs]
    f = expected_grades(tested, (replaced(clip_CTHW, instead_CTHW, frame) for frame in away), batch_size)
    full, single_T, both = f[0], f[1 : 1 + frames], f[1 + frames :]
    I_TT = np.zeros((frames, frames))
    for (t, u), without_both in zip(pairs, both, strict=True):
        I_TT[t, u] = I_TT[u, t] = full - single_T[t] - single_T[u] + without_both
    return I_TT


def replaced(clip_CTHW: Tensor, instead_CTHW: Tensor, frames: tuple[int, ...]) -> Tensor:
    clip_CTHW = clip_CTHW.clone()
    clip_CTHW[:, frames] = instead_CTHW[:, frames]
    return clip_CTHW


def by_lag(I_NTT: np.ndarray, frame_rate: float) -> Curve:
    """Mean of |I| at lags of 1, 2, ... T - 1 frames."""
    lag_L = np.arange(1, I_NTT.shape[1])
    mean_NL = np.stack([np.abs(np.diagonal(I_NTT, lag, 1, 2)).mean(axis=1) for lag in lag_L], axis=1)
    return Curve(lag_L / frame_rate, mean_NL, "lag (s)", "mean |interaction| (grades)")


def summary(curve: Curve, I_NTT: np.ndarray, fill: str) -> dict[str, np.ndarray]:
    total_N = np.where(curve.y_NX.mean(axis=1) > ROUNDING, curve.y_NX.sum(axis=1), np.nan)
    frames = I_NTT.shape[1]
    far_L = np.arange(1, frames) >= frames // 2
    return {
        f"mean lag, {fill} (s)": curve.y_NX @ curve.x_X / total_N,
        f"long range, {fill}": curve.y_NX[:, far_L].sum(axis=1) / total_N,
        f"strength, {fill} (grades)": np.abs(I_NTT[:, *np.triu_indices(frames, 1)]).mean(axis=1),
    }
