"""Two arms compared over the runs that both have done, and over the clips that both were tested on.

All errors are MSE x 10^-2 (mean over grades), all differences arm a minus arm b: negative means that a is better.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from hybrid.errors import UserError
from hybrid.evaluation.outcomes import Outcome
from hybrid.evaluation.statistics import bayesian_correlated_t, clustered_bootstrap, corrected_resampled_t

EQUIVALENT = 0.05
"""x 10^-2 of MSE: arms nearer than this are practically equivalent"""

SCALE = 100

Runs = dict[tuple[int, int], Outcome]
"""an arm's finished runs, by repeat and fold"""


def by_arm(outcomes: Iterable[Outcome]) -> dict[str, Runs]:
    arms: dict[str, Runs] = {}
    for outcome in outcomes:
        arms.setdefault(outcome.arm, {})[outcome.repeat, outcome.fold] = outcome
    return arms


def compare(runs_a: Runs, runs_b: Runs, groups: dict[str, str], repetitions: int = 10_000) -> dict[str, Any] | None:
    """The difference of two arms; None where fewer than 2 runs can be paired.

    groups: of every clip of the experiment.
    runs: folds and repeats that both have done; the difference of their MSE is tested by the corrected resampled t:
        difference, its 95 % interval low to high, t, df, two-sided p.
    clips, groups: tested by both; a clip's errors are averaged over repeats. clip_difference and its 95 % interval
        clip_low to clip_high, by a bootstrap (`repetitions` draws) of whole groups; NaN where there is one group.
        It holds the trained models fixed: it says what other clips would do, not what other training would, and
        since a clip tested in one fold is trained on in others it is somewhat narrow (tools/calibrate_statistics.py
        measures by how much).
    a_better, equivalent, b_better: posterior probabilities of the Bayesian correlated t; equivalent is +-EQUIVALENT.
    simulated: whether the clips are.
    """
    shared = sorted(runs_a.keys() & runs_b.keys())
    if len(shared) < 2:
        return None
    paired = [(runs_a[key], runs_b[key]) for key in shared]
    for a, b in paired:
        if a.clips != b.clips:
            raise UserError(
                f"{a.arm} and {b.arm} were tested on different clips in repeat {a.repeat}, fold {a.fold}: "
                "their runs cannot be paired"
            )
    return _over_runs(paired, len(groups)) | _over_clips(paired, groups, repetitions)


def tested_to_trained(test_clips: Iterable[int], all_clips: int) -> float:
    """Clips tested on over clips that could be trained on, which is what makes runs of one experiment correlated.

    Over all folds of a repeat 1 / (folds - 1), however unequal the folds. An arm that trains on a share of them alone
    shares fewer clips between its runs, not more.
    """
    test_n = np.asarray(list(test_clips))
    return float(test_n.sum() / (all_clips - test_n).sum())


def _over_runs(paired: list[tuple[Outcome, Outcome]], all_clips: int) -> dict[str, Any]:
    difference = [SCALE * (a.mse - b.mse) for a, b in paired]
    ratio = tested_to_trained((a.test_clips for a, _ in paired), all_clips)
    test = corrected_resampled_t(difference, ratio)
    bayes = bayesian_correlated_t(difference, ratio, rope=EQUIVALENT)
    return {
        "runs": len(paired),
        "difference": test.mean,
        "low": test.low,
        "high": test.high,
        "t": test.t,
        "df": test.df,
        "p": test.p,
        "a_better": bayes.first_better,
        "equivalent": bayes.equivalent,
        "b_better": bayes.second_better,
        "simulated": any(a.simulated for a, _ in paired),
    }


def _over_clips(paired: list[tuple[Outcome, Outcome]], groups: dict[str, str], repetitions: int) -> dict[str, Any]:
    of_clip: dict[str, list[float]] = {}
    for a, b in paired:
        for clip, difference in zip(a.clips, SCALE * (a.error_N - b.error_N), strict=True):
            of_clip.setdefault(clip, []).append(difference)
    if unknown := [clip for clip in of_clip if clip not in groups]:
        raise UserError(f"clip {unknown[0]!r} of the predictions is not in folds.csv")
    difference_N = np.array([np.mean(differences) for differences in of_clip.values()])
    group_N = np.array([groups[clip] for clip in of_clip])
    num_groups = len(set(group_N))
    low = high = np.nan
    if num_groups >= 2:
        interval = clustered_bootstrap(difference_N, group_N, repetitions=repetitions)
        low, high = interval.low, interval.high
    return {
        "clips": len(difference_N),
        "groups": num_groups,
        "clip_difference": float(difference_N.mean()),
        "clip_low": low,
        "clip_high": high,
    }
