"""From numbers a clip to a mean with its intervals, and to differences between models."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from hybrid.evaluation.statistics import clustered_bootstrap, corrected_resampled_t

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over runs, and two 95 % intervals of it: NaN where there are fewer than two runs, or groups of clips.

    run_low to run_high: what other trainings would do. clip_low to clip_high: what other clips would do to these
    trained models.
    """

    mean: float
    run_low: float
    run_high: float
    clip_low: float
    clip_high: float
    runs: int
    clips: int
    groups: int

    @property
    def differs(self) -> bool:
        """Of a difference: whether every interval that there is leaves zero out, and there is one."""
        ends = [(low, high) for low, high in self.intervals if np.isfinite(low)]
        return bool(ends) and all(low * high > 0 and low * self.mean > 0 for low, high in ends)

    @property
    def intervals(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return (self.run_low, self.run_high), (self.clip_low, self.clip_high)


def estimate(values: pd.DataFrame, test_to_train: float | None, least: float = -np.inf) -> Estimate:
    """values: a row a run and clip: run, clip, group, value. Rows without a value do not count.

    test_to_train: clips of a test fold over those trained on, by which runs that share training clips are corrected
    (Nadeau and Bengio 2003); None: they share none. least: that a value can be; intervals are cut there.
    """
    values = values.dropna(subset="value")
    of_run, of_clip = values.groupby("run")["value"].mean(), values.groupby("clip")["value"].mean()
    groups = values.groupby("clip")["group"].first()
    return _estimate(of_run.to_numpy(), of_clip.to_numpy(), groups.to_numpy(), test_to_train, least)


def difference(first: pd.DataFrame, second: pd.DataFrame, test_to_train: float | None) -> Estimate:
    """First minus second, paired: over the runs and clips that both have a value of."""
    first, second = (frame.dropna(subset="value") for frame in (first, second))
    both = first.merge(second, on=["run", "clip"], suffixes=("", "_second"))
    of_run = (both["value"] - both["value_second"]).groupby(both["run"]).mean()
    means = [frame.groupby("clip")["value"].mean() for frame in (first, second)]
    of_clip = (means[0] - means[1]).dropna()
    groups = first.groupby("clip")["group"].first().loc[of_clip.index]
    return _estimate(of_run.to_numpy(), of_clip.to_numpy(), groups.to_numpy(), test_to_train)


def _estimate(
    of_run: np.ndarray, of_clip: np.ndarray, group: np.ndarray, test_to_train: float | None, least: float = -np.inf
) -> Estimate:
    run_low = run_high = float("nan")
    if len(of_run) > 1 and test_to_train is not None:
        test = corrected_resampled_t(of_run, test_to_train, least=least)
        run_low, run_high = test.low, test.high
    elif len(of_run) > 1:
        half = stats.t.ppf((1 + CONFIDENCE) / 2, len(of_run) - 1) * stats.sem(of_run)
        run_low, run_high = max(least, of_run.mean() - half), of_run.mean() + half
    clip_low, clip_high = over_clips(of_clip, group)
    # Without common runs, as of single checkpoints of several experiments, the clips are all there is.
    mean = of_run.mean() if len(of_run) else of_clip.mean() if len(of_clip) else float("nan")
    return Estimate(float(mean), run_low, run_high, clip_low, clip_high, len(of_run), len(of_clip), len(set(group)))


def over_clips(value_N: np.ndarray, group_N: np.ndarray, **options) -> tuple[float, float]:
    """The 95 % interval of the mean over other clips, by `clustered_bootstrap`; NaN where there is one group."""
    if len(set(group_N)) < 2:
        return float("nan"), float("nan")
    resampled = clustered_bootstrap(value_N, group_N, **options)
    return resampled.low, resampled.high
