"""The raters themselves: how far they agree, who is strict, and how many of them or of their clips would be enough."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from hybrid.evaluation.estimates import CONFIDENCE
from hybrid.evaluation.panel import noise_ceiling
from hybrid.evaluation.statistics import FEWEST_DRAWN, Bootstrap, clustered_bootstrap, expanded_tail


def ordinal_alpha(votes_NK: ArrayLike, group_N: ArrayLike | None = None, repetitions: int = 1000) -> Bootstrap:
    """Krippendorff's alpha for ordered grades (Krippendorff, Content Analysis, 2004), and its 95 % interval when groups
    of clips, each whole, are drawn anew: 1 where all agree, 0 where votes are as good as drawn from one urn.

    votes_NK: whole numbers of votes; clips with fewer than 2 count for nothing. group_N: one a clip; None: each clip is
    its own. NaN where there is nothing to compare; no interval where there are fewer than 2 groups. Below FEWEST_DRAWN
    groups, of which too few different ones can be drawn, it is the jackknife's: each group left out once (Efron and
    Stein 1981), with Student's t.
    """
    votes_NK = np.asarray(votes_NK, dtype=np.int64)
    paired_N = votes_NK.sum(axis=1) >= 2
    group_N = np.arange(len(votes_NK)) if group_N is None else np.asarray(group_N)
    votes_NK, (names, member_N) = votes_NK[paired_N], np.unique(group_N[paired_N], return_inverse=True)
    value = _alpha(votes_NK)
    if len(names) < 2 or math.isnan(value):
        return Bootstrap(value, math.nan, math.nan)
    members = [np.flatnonzero(member_N == g) for g in range(len(names))]
    if len(names) < FEWEST_DRAWN:
        without_G = np.array([_alpha(np.delete(votes_NK, left_out, axis=0)) for left_out in members])
        error = math.sqrt((len(names) - 1) * without_G.var())
        if not error > 0:  # groups that are alike by chance say nothing of others
            return Bootstrap(value, math.nan, math.nan)
        half = error * stats.t.ppf((1 + CONFIDENCE) / 2, len(names) - 1)
        return Bootstrap(value, max(-1.0, value - half), min(1.0, value + half))
    rng = np.random.default_rng(0)
    drawn = [
        _alpha(votes_NK[np.concatenate([members[g] for g in rng.integers(len(names), size=len(names))])])
        for _ in range(repetitions)
    ]
    tail = expanded_tail(len(names), CONFIDENCE)
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return Bootstrap(value, float(low), float(high))


def _alpha(votes_NK: NDArray[np.int64]) -> float:
    """1 minus observed over expected disagreement; NaN where there are no pairs of votes that could disagree.

    Of a clip with m votes, each pair counts 1 / (m - 1). Two grades are as far apart as there are votes between them.
    """
    sizes_N = votes_NK.sum(axis=1)
    pairs_KK = (votes_NK / (sizes_N[:, None] - 1)).T @ votes_NK
    pairs_KK -= np.diag((votes_NK / (sizes_N[:, None] - 1)).sum(axis=0))
    total_K = votes_NK.sum(axis=0)
    rank_K = total_K.cumsum() - total_K / 2
    distance_KK = (rank_K[:, None] - rank_K) ** 2
    expected = total_K @ distance_KK @ total_K
    if not expected:
        return math.nan
    return float(1 - (total_K.sum() - 1) * (pairs_KK * distance_KK).sum() / expected)


def severity(ratings_NR: ArrayLike) -> pd.DataFrame:
    """A row a rater: `severity`, grades worse (above 0) or better than the others' mean on the same clips, its standard
    error over clips, and `clips`, those that others have graded, too. ratings_NR: as in `hybrid.data.ratings`.
    """
    ratings_NR = np.asarray(ratings_NR)
    given_NR = ratings_NR >= 0
    grade_NR = np.where(given_NR, ratings_NR, 0).astype(np.float64)
    others_NR = given_NR.sum(axis=1, keepdims=True) - given_NR
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_NR = (grade_NR.sum(axis=1, keepdims=True) - grade_NR) / others_NR
    difference = pd.DataFrame(np.where(given_NR & (others_NR > 0), grade_NR - mean_NR, np.nan))
    return pd.DataFrame({"severity": difference.mean(), "error": difference.sem(), "clips": difference.count()})


@dataclass(frozen=True)
class CeilingPlan:
    """The noise ceiling (MSE; see `noise_ceiling`), how sure it is, and what would make it surer.

    clips: with 2 votes or more. raters: mean votes of these. more_clips: of other groups, with as many votes each and
    as many a group. more_raters: on the same clips.
    """

    ceiling: Bootstrap
    clips: int
    raters: float
    width: float
    more_clips: int
    more_raters: int


def plan_ceiling(
    votes_NK: ArrayLike, group_N: ArrayLike | None = None, width: float | None = None
) -> CeilingPlan | None:
    """How many more clips, or raters, would make the ceiling's 95 % interval `width` wide; None: half as wide as it is.

    The width falls with the root of the number of clips. With more raters the ceiling itself falls as one over their
    number, and the width at least as much, because each clip's noise is better known, too: their number is enough, and
    may be more than is needed. No plan where fewer than 2 groups of clips have 2 votes or more, or all of these agree.
    """
    votes_NK = np.asarray(votes_NK)
    paired_N = votes_NK.sum(axis=1) >= 2
    raters_N = votes_NK.sum(axis=1)[paired_N]
    groups = None if group_N is None else np.asarray(group_N)[paired_N]
    if (paired_N.sum() if groups is None else len(set(groups))) < 2:
        return None
    ceiling = clustered_bootstrap(noise_ceiling(votes_NK[paired_N] / raters_N[:, None], raters_N), groups)
    ceiling = replace(ceiling, low=max(0.0, ceiling.low))
    now = ceiling.high - ceiling.low
    if now == 0:
        return None
    wanted = now / 2 if width is None else width
    factor = max(1.0, now / wanted)
    return CeilingPlan(
        ceiling,
        int(paired_N.sum()),
        float(raters_N.mean()),
        wanted,
        math.ceil(paired_N.sum() * (factor**2 - 1) - 1e-9),
        math.ceil(raters_N.mean() * (factor - 1) - 1e-9),
    )
