"""How much of each arm's error is the panel's own noise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hybrid.evaluation.noise import noise_ceiling
from hybrid.evaluation.outcomes import Experiment, read_groups, read_outcomes
from hybrid.evaluation.statistics import clustered_bootstrap

SCALE = 100
COLUMNS = ("arm", "clips", "groups", "mse", "ceiling", "excess", "excess_low", "excess_high")


def panel_noise(folder: Experiment, repetitions: int = 10_000) -> pd.DataFrame:
    """A row an arm, in MSE x 10^-2: out-of-fold `mse` a clip (averaged over repeats), the `ceiling` that a perfect
    model would have by the panel's noise alone (`noise_ceiling`), their difference `excess`, and its 95 % interval
    by a bootstrap of whole groups.

    Only clips known to have 2 votes or more count: `clips` says how many; where there are none, the rest is NaN.
    """
    of_arm: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for outcome in read_outcomes(folder):
        of_clip = of_arm.setdefault(outcome.arm, {})
        known_N = np.nan_to_num(outcome.raters_N) >= 2
        ceiling_N = np.full(len(known_N), np.nan)
        ceiling_N[known_N] = noise_ceiling(outcome.target_NK[known_N], outcome.raters_N[known_N])
        for n in np.flatnonzero(known_N):
            of_clip.setdefault(outcome.clips[n], []).append((outcome.error_N[n], ceiling_N[n]))
    groups = read_groups(folder) if of_arm else {}
    rows = [_row(arm, of_clip, groups, repetitions) for arm, of_clip in of_arm.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(arm: str, of_clip: dict[str, list[tuple[float, float]]], groups: dict[str, str], repetitions: int) -> dict:
    row = {"arm": arm, "clips": len(of_clip), "groups": len({groups[clip] for clip in of_clip})}
    if not of_clip:
        return row
    error_N, ceiling_N = SCALE * np.array([np.mean(pairs, axis=0) for pairs in of_clip.values()]).T
    row |= {"mse": error_N.mean(), "ceiling": ceiling_N.mean(), "excess": (error_N - ceiling_N).mean()}
    if row["groups"] >= 2:
        group_N = [groups[clip] for clip in of_clip]
        interval = clustered_bootstrap(error_N - ceiling_N, group_N, repetitions=repetitions)
        row |= {"excess_low": interval.low, "excess_high": interval.high}
    return row
