"""The panel's own noise: what no model can be expected to beat, and how well one half of it says what the other says.

A model is compared with the whole panel, which is less noisy than half of it: a perfect model does better than a half.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from hybrid.evaluation.comparisons import SCALE
from hybrid.evaluation.estimates import over_clips
from hybrid.evaluation.metrics import METRICS, squared_error
from hybrid.evaluation.results import ExperimentResults

SPLITS = 100
MEASURES = tuple(name for name, metric in METRICS.items() if not metric.uses_raters)
"""without kl, for which half a panel, that leaves grades out, is no prediction"""
NOISE_COLUMNS = ("arm", "clips", "groups", "mse", "ceiling", "excess", "excess_low", "excess_high")


def noise_ceiling(target_NK: ArrayLike, raters: ArrayLike) -> NDArray:
    """(N,) expected MSE, mean over grades, of a perfect model against the votes: (1 - sum p^2) / (K (R - 1)).

    Votes are multinomial, so a grade's share has variance p (1 - p) / R; estimating that from the shares
    themselves takes R - 1 in place of R to be unbiased. raters: R, one number or (N,), 2 or more.
    """
    target_NK = np.asarray(target_NK, dtype=np.float64)
    raters_N = np.broadcast_to(np.asarray(raters, dtype=np.float64), len(target_NK))
    if (raters_N < 2).any():
        raise ValueError("the noise of a panel can only be estimated from 2 raters or more")
    return (1 - (target_NK**2).sum(axis=1)) / (target_NK.shape[1] * (raters_N - 1))


def split_half(votes_NK: ArrayLike, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Two distributions a clip, from a random half of its votes each; of an odd number one vote is left out.

    Feed them to a metric as prediction and target to see how well half a panel predicts the other half.
    votes_NK: whole numbers of votes, 2 or more a clip.
    """
    votes_NK = np.asarray(votes_NK)
    if (votes_NK != np.round(votes_NK)).any() or (votes_NK < 0).any():
        raise ValueError("split_half needs counts of votes, whole and not negative")
    votes_NK = votes_NK.astype(np.int64)
    half_N = votes_NK.sum(axis=1) // 2
    if (half_N < 1).any():
        raise ValueError(f"row {int((half_N < 1).argmax())} has fewer than 2 votes: there are no halves")
    first = np.stack([rng.multivariate_hypergeometric(v, h) for v, h in zip(votes_NK, half_N, strict=True)])
    rest = votes_NK - first
    second = np.stack([rng.multivariate_hypergeometric(v, h) for v, h in zip(rest, half_N, strict=True)])
    return first / half_N[:, None], second / half_N[:, None]


def panel_noise(results: ExperimentResults, repetitions: int = 10_000) -> pd.DataFrame:
    """A row an arm, in MSE x 10^-2: out-of-fold `mse` a clip (averaged over repeats), the `ceiling` that a perfect
    model would have by the panel's noise alone (`noise_ceiling`), their difference `excess`, and its 95 % interval
    by a bootstrap of whole groups.

    Only clips known to have 2 votes or more count: `clips` says how many; where there are none, the rest is NaN.
    """
    of_arm: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for run in results.runs:
        of_clip = of_arm.setdefault(run.arm, {})
        known_N = np.nan_to_num(run.raters_N) >= 2
        ceiling_N = np.full(len(known_N), np.nan)
        ceiling_N[known_N] = noise_ceiling(run.target_NK[known_N], run.raters_N[known_N])
        for n in np.flatnonzero(known_N):
            of_clip.setdefault(run.clips[n], []).append((run.error_N[n], ceiling_N[n]))
    rows = [_noise_of(arm, of_clip, results.groups, repetitions) for arm, of_clip in of_arm.items()]
    return pd.DataFrame(rows, columns=NOISE_COLUMNS)


def _noise_of(
    arm: str, of_clip: dict[str, list[tuple[float, float]]], groups: dict[str, str], repetitions: int
) -> dict:
    row = {"arm": arm, "clips": len(of_clip), "groups": len({groups[clip] for clip in of_clip})}
    if not of_clip:
        return row
    error_N, ceiling_N = SCALE * np.array([np.mean(pairs, axis=0) for pairs in of_clip.values()]).T
    row |= {"mse": error_N.mean(), "ceiling": ceiling_N.mean(), "excess": (error_N - ceiling_N).mean()}
    low, high = over_clips(error_N - ceiling_N, [groups[clip] for clip in of_clip], repetitions=repetitions)
    row |= {"excess_low": low, "excess_high": high}
    return row


@dataclass(frozen=True)
class PanelAgreement:
    """halves: 'raters', where it is known who voted what, or 'votes'. clips: with a vote in both halves, at the least.

    measures: one half against the other, mean over splits, by name. ceiling: MSE of a perfect model against the whole
    panel, as the distance of the halves tells it.
    """

    halves: str
    clips: int
    splits: int
    measures: dict[str, float]
    ceiling: float


Halves = tuple[NDArray, NDArray, NDArray]
"""votes of two disjoint halves, (N, K) each, and how many the whole panel gave, (N,)"""


def agreement_of_raters(
    ratings_NR: ArrayLike, num_grades: int, orders_SR: ArrayLike | None = None
) -> PanelAgreement | None:
    """Each rater is in one half for all clips, as strict and lenient ones are in a panel. None: no clip has two votes.

    ratings_NR: as in `hybrid.data.ratings`. orders_SR: of the raters, one a split: its first and its last half are the
    halves (of an odd number, the one in the middle is left out). By default SPLITS random orders.
    """
    ratings_NR = np.asarray(ratings_NR)
    num_raters = ratings_NR.shape[1]
    if orders_SR is None:
        rng = np.random.default_rng(0)
        orders_SR = np.stack([rng.permutation(num_raters) for _ in range(SPLITS)])
    vote_NRK = ratings_NR[:, :, None] == np.arange(num_grades)
    half, all_N = num_raters // 2, vote_NRK.sum((1, 2))
    splits = (
        (vote_NRK[:, order[:half]].sum(1), vote_NRK[:, order[num_raters - half :]].sum(1), all_N)
        for order in np.asarray(orders_SR)
    )
    return _agreement("raters", splits)


def agreement_of_votes(votes_NK: ArrayLike) -> PanelAgreement | None:
    """The votes of each clip are halved by themselves, where who gave them is not known. None: no clip has two."""
    votes_NK, rng = np.asarray(votes_NK), np.random.default_rng(0)
    votes_NK = votes_NK[votes_NK.sum(1) >= 2]
    if not len(votes_NK):
        return None
    half_N1 = votes_NK.sum(1, keepdims=True) // 2
    halved = (split_half(votes_NK, rng) for _ in range(SPLITS))
    return _agreement("votes", ((one * half_N1, other * half_N1, votes_NK.sum(1)) for one, other in halved))


def _agreement(kind: str, splits: Iterable[Halves]) -> PanelAgreement | None:
    measures, ceilings, clips = [], [], []
    for *halves, all_N in splits:
        votes_2NK = np.stack(halves)
        sizes_2N = votes_2NK.sum(2)
        rated = (sizes_2N > 0).all(0)
        if not rated.any():
            continue
        sizes_2N = sizes_2N[:, rated]
        first_NK, second_NK = votes_2NK[:, rated] / sizes_2N[:, :, None]
        measures.append([METRICS[name].of_all(first_NK, second_NK) for name in MEASURES])
        # The mean square between shares of n1 and n2 votes is S^2 (1/n1 + 1/n2), from all R to the truth S^2 / R.
        of_halves_N = squared_error(first_NK, second_NK) / (1 / sizes_2N).sum(0)
        ceilings.append((of_halves_N / all_N[rated]).mean())
        clips.append(rated.sum())
    if not measures:
        return None
    means = dict(zip(MEASURES, np.mean(measures, axis=0).tolist(), strict=True))
    return PanelAgreement(kind, int(min(clips)), len(clips), means, float(np.mean(ceilings)))
