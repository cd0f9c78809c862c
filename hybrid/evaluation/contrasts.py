"""Every pair of an experiment's arms: how far apart they are, and what may be said about it.

The questions asked before any result was seen are PREREGISTERED. The non-local SlowFast is the closest prior art. The
ensemble is the arm of that name: SlowFast and TimeSformer made so small that both together cost what the hybrid does,
trained as one model under the same protocol. The mean of the answers of this experiment's `slowfast` and `timesformer`
is another thing: each of these costs about as much as the hybrid, and has been trained as long, by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from hybrid.evaluation.outcomes import Experiment, read_groups, read_outcomes
from hybrid.evaluation.pairs import EQUIVALENT, by_arm, compare
from hybrid.evaluation.statistics import holm

PREREGISTERED = (
    ("hybrid", "slowfast"),
    ("hybrid", "timesformer"),
    ("hybrid", "slowfast_nln"),
    ("hybrid", "ensemble"),
)
"""pairs of arms; Holm's adjustment is over those that have been answered, and `unanswered` names the others"""

LEVEL = 0.05
"""of significance; 1 - LEVEL is the probability from which arms are called equivalent"""

REGISTERED, EXPLORATORY = "pre-registered", "exploratory"

COLUMNS = (
    "arm_a", "arm_b", "kind", "runs", "difference", "low", "high", "t", "df", "p", "p_holm",
    "clips", "groups", "clip_difference", "clip_low", "clip_high",
    "a_better", "equivalent", "b_better", "simulated", "words",
)  # fmt: skip


def contrasts(folder: Experiment, repetitions: int = 10_000, *, among: Collection[str] | None = None) -> pd.DataFrame:
    """A row a pair of arms with 2 paired runs or more, the pre-registered ones first; columns as in COLUMNS.

    among: the arms to be compared, by default all. Most columns are those of `compare`; p_holm is adjusted over the
    pre-registered rows, NaN in the others; words: `in_words` of the row.
    """
    runs = by_arm(read_outcomes(folder))
    arms = [arm for arm in runs if among is None or arm in among]
    groups = read_groups(folder) if runs else {}
    rows = []
    for arm_a, arm_b, kind in _pairs(arms):
        comparison = compare(runs[arm_a], runs[arm_b], groups, repetitions)
        if comparison is not None:
            rows.append({"arm_a": arm_a, "arm_b": arm_b, "kind": kind, "p_holm": np.nan} | comparison)
    registered = [row for row in rows if row["kind"] == REGISTERED]
    for row, p_holm in zip(registered, holm([row["p"] for row in registered]), strict=True):
        row["p_holm"] = float(p_holm)
    for row in rows:
        row["words"] = in_words(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def unanswered(done: Iterable[tuple[str, int, int]]) -> list[str]:
    """A sentence for each pre-registered contrast that the finished runs (arm, repeat, fold) leave open, and why."""
    of_arm: dict[str, set[tuple[int, int]]] = {}
    for arm, *run in done:
        of_arm.setdefault(arm, set()).add(tuple(run))
    sentences = []
    for pair in PREREGISTERED:
        missing = [arm for arm in pair if arm not in of_arm]
        shared = 0 if missing else len(of_arm[pair[0]] & of_arm[pair[1]])
        if shared < 2:
            why = f"no run of {' or '.join(missing)} is done" if missing else f"runs that both have done: {shared} of 2"
            sentences.append(f"{pair[0]} against {pair[1]}: not answered, {why}.")
    return sentences


def _pairs(arms: Iterable[str]) -> list[tuple[str, str, str]]:
    """Pre-registered pairs first; an arm is `a` before those that come after it in PREREGISTERED or the alphabet."""
    arms = sorted(arms)
    registered = [pair for pair in PREREGISTERED if set(pair) <= set(arms)]
    rest = [pair for pair in combinations(arms, 2) if set(pair) not in [set(r) for r in registered]]
    return [(*pair, REGISTERED) for pair in registered] + [(*pair, EXPLORATORY) for pair in rest]


def in_words(row: Any) -> str:
    """One sentence: what a row of `contrasts` means, and no more."""
    registered = row["kind"] == REGISTERED
    p = row["p_holm"] if registered else row["p"]
    a, b = row["arm_a"], row["arm_b"]
    better, other = (a, b) if row["difference"] < 0 else (b, a)
    clips = "simulated clips" if row["simulated"] else "clips"
    low, high = sorted((abs(row["low"]), abs(row["high"]))) if row["low"] * row["high"] > 0 else (None, None)
    test = f"{'Holm-adjusted ' if registered else ''}p {_p(p)}, {row['runs']} paired runs"
    by = f"{abs(row['difference']):.2f} x 10^-2"
    caution = "" if registered else "; exploratory, one of many comparisons, to be confirmed on new clips"
    if row["equivalent"] >= 1 - LEVEL:
        return (
            f"{a} and {b} are practically equivalent on these {clips}: their MSE differs by less than "
            f"{EQUIVALENT} x 10^-2 with probability {_probability(row['equivalent'])} "
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


def _probability(share: float) -> str:
    return "> 0.99" if share > 0.99 else f"{share:.2f}"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
