"""Two arms compared over the runs that both have done, and over the clips that both were tested on; and every pair.

All errors are MSE x 10^-2 (mean over grades), all differences arm a minus arm b: negative means that a is better.

The questions asked before any result was seen are PREREGISTERED. That against RoSTFine, which the paper's authors
published next, came last: before any result of RoSTFine's, but when the other models' were known. The non-local
SlowFast is the closest prior art. The ensemble is the arm of that name: SlowFast and TimeSformer made so small that
both together cost what the hybrid does, trained as one model under the same protocol. The mean of the answers of an
experiment's `slowfast` and `timesformer` is another thing: each of these costs about as much as the hybrid, and has
been trained as long, by itself.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from hybrid.errors import UserError
from hybrid.evaluation.estimates import over_clips
from hybrid.evaluation.results import ExperimentResults, RunResult, Runs
from hybrid.evaluation.statistics import bayesian_correlated_t, corrected_resampled_t, holm

EQUIVALENT = 0.05
"""x 10^-2 of MSE: arms nearer than this are practically equivalent"""

SCALE = 100

PREREGISTERED = (
    ("hybrid", "slowfast"),
    ("hybrid", "timesformer"),
    ("hybrid", "slowfast_nln"),
    ("hybrid", "ensemble"),
    ("hybrid", "rostfine"),
)
"""pairs of arms; Holm's adjustment is over those that have been answered, and `unanswered` names the others"""

LEVEL = 0.05
"""of significance; 1 - LEVEL is the probability from which arms are called equivalent"""

REGISTERED, EXPLORATORY = "pre-registered", "exploratory"

COMPARED = (
    "runs", "difference", "low", "high", "t", "df", "p", "p_holm",
    "clips", "groups", "clip_difference", "clip_low", "clip_high",
    "a_better", "equivalent", "b_better", "simulated", "words",
)  # fmt: skip
COLUMNS = ("arm_a", "arm_b", "kind", *COMPARED)


def contrasts(results: ExperimentResults, repetitions: int = 10_000) -> pd.DataFrame:
    """A row a pair of arms with 2 paired runs or more, the pre-registered ones first; columns as in COLUMNS.

    Most columns are those of `compare`; p_holm is adjusted over the pre-registered rows, NaN in the others; words:
    `in_words` of the row.
    """
    runs, rows = results.by_arm, []
    for arm_a, arm_b, kind in _pairs(runs):
        comparison = compare(runs[arm_a], runs[arm_b], results.groups, repetitions)
        if comparison is not None:
            rows.append({"arm_a": arm_a, "arm_b": arm_b, "kind": kind, "p_holm": np.nan} | comparison)
    registered = [row for row in rows if row["kind"] == REGISTERED]
    for row, p_holm in zip(registered, holm([row["p"] for row in registered]), strict=True):
        row["p_holm"] = float(p_holm)
    for row in rows:
        row["words"] = in_words(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def unanswered(done: Iterable[tuple[str, int, int]], asked: Iterable[str]) -> list[str]:
    """A sentence for each pre-registered contrast that the finished runs (arm, repeat, fold) leave open, and why.

    asked: arms that runs are planned of. Contrasts with others were not asked for.
    """
    of_arm: dict[str, set[tuple[int, int]]] = {}
    for arm, *run in done:
        of_arm.setdefault(arm, set()).add(tuple(run))
    asked, sentences = {*asked, *of_arm}, []
    for pair in PREREGISTERED:
        missing = [arm for arm in pair if arm not in of_arm]
        shared = 0 if missing else len(of_arm[pair[0]] & of_arm[pair[1]])
        if shared < 2 and asked >= set(pair):
            why = f"no run of {' or '.join(missing)} is done" if missing else f"runs that both have done: {shared} of 2"
            sentences.append(f"{pair[0]} against {pair[1]}: not answered, {why}.")
    return sentences


def _pairs(arms: Iterable[str]) -> list[tuple[str, str, str]]:
    """Pre-registered pairs first; an arm is `a` before those that come after it in PREREGISTERED or the alphabet."""
    arms = sorted(arms)
    registered = [pair for pair in PREREGISTERED if set(pair) <= set(arms)]
    rest = [pair for pair in combinations(arms, 2) if set(pair) not in [set(r) for r in registered]]
    return [(*pair, REGISTERED) for pair in registered] + [(*pair, EXPLORATORY) for pair in rest]


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
    difference = [SCALE * (a.mse - b.mse) for a, b in paired]
    ratio = tested_to_trained((a.test_clips for a, _ in paired), len(groups))
    test, bayes = corrected_resampled_t(difference, ratio), bayesian_correlated_t(difference, ratio, rope=EQUIVALENT)
    over_runs = {
        "runs": len(paired),
        "difference": test.mean,
        **{name: getattr(test, name) for name in ("low", "high", "t", "df", "p")},
        "a_better": bayes.first_better,
        "equivalent": bayes.equivalent,
        "b_better": bayes.second_better,
        "simulated": any(a.simulated for a, _ in paired),
    }
    return over_runs | _over_clips(paired, groups, repetitions)


def tested_to_trained(test_clips: Iterable[int], all_clips: int) -> float:
    """Clips tested on over clips that could be trained on, which is what makes runs of one experiment correlated.

    Over all folds of a repeat 1 / (folds - 1), however unequal the folds. An arm that trains on a share of them alone
    shares fewer clips between its runs, not more.
    """
    test_n = np.asarray(list(test_clips))
    return float(test_n.sum() / (all_clips - test_n).sum())


def _over_clips(paired: list[tuple[RunResult, RunResult]], groups: dict[str, str], repetitions: int) -> dict[str, Any]:
    of_clip: dict[str, list[float]] = {}
    for a, b in paired:
        for clip, difference in zip(a.clips, SCALE * (a.error_N - b.error_N), strict=True):
            of_clip.setdefault(clip, []).append(difference)
    if unknown := [clip for clip in of_clip if clip not in groups]:
        raise UserError(f"clip {unknown[0]!r} of the predictions is not in folds.csv")
    difference_N = np.array([np.mean(differences) for differences in of_clip.values()])
    group_N = np.array([groups[clip] for clip in of_clip])
    low, high = over_clips(difference_N, group_N, repetitions=repetitions)
    return {
        "clips": len(difference_N),
        "groups": len(set(group_N)),
        "clip_difference": float(difference_N.mean()),
        "clip_low": low,
        "clip_high": high,
    }


def in_words(row: Any) -> str:
    """One sentence: what a row of `contrasts` means, and no more."""
    registered = row["kind"] == REGISTERED
    p = row["p_holm"] if registered else row["p"]
    a, b = row["arm_a"], row["arm_b"]
    better, other = (a, b) if row["difference"] < 0 else (b, a)
    clips = "simulated clips" if row["simulated"] else "clips"
    low, high = sorted((abs(row["low"]), abs(row["high"]))) if row["low"] * row["high"] > 0 else (None, None)
    p_is = "< 0.001" if p < 0.001 else f"{p:.3f}"
    test = f"{'Holm-adjusted ' if registered else ''}p {p_is}, {row['runs']} paired runs"
    by = f"{abs(row['difference']):.2f} x 10^-2"
    caution = "" if registered else "; exploratory, one of many comparisons, to be confirmed on new clips"
    if (probability := row["equivalent"]) >= 1 - LEVEL:
        return (
            f"{a} and {b} are practically equivalent on these {clips}: their MSE differs by less than "
            f"{EQUIVALENT} x 10^-2 with probability {'> 0.99' if probability > 0.99 else f'{probability:.2f}'} "
            f"({row['runs']} paired runs){caution}."
        )
    if p < LEVEL:
        return (
            f"{better} has a lower MSE than {other} on these {clips}, by {by} "
            f"(95 % interval {low:.2f} to {high:.2f}; {test}){_other_clips(row)}{caution}."
        )
    reach = f"95 % interval of {a} minus {b} {row['low']:.2f} to {row['high']:.2f}; {test}"
    if low is not None:  # the interval alone leaves zero out, the adjusted p does not
        reach += ", which allows for the number of contrasts where the interval does not"
    return (
        f"Neither {a} nor {b} is shown to be better on these {clips}, though {better}'s MSE is {by} lower ({reach}); "
        f"that does not show them to be equal{caution}."
    )


def _other_clips(row: Any) -> str:
    """What the bootstrap adds to a difference between runs."""
    if np.isnan(row["clip_low"]):
        return ""
    same = np.sign(row["clip_low"]) == np.sign(row["clip_high"]) == np.sign(row["difference"])
    return "" if same else ", which other clips could turn round (the interval over clips reaches zero)"
