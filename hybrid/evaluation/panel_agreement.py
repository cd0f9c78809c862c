"""How well one half of the panel says what the other half says: what a model's agreement is to be read beside.

A model is compared with the whole panel, which is less noisy than half of it: a perfect model does better than a half.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybrid.evaluation.metrics import METRICS, squared_error
from hybrid.evaluation.noise import split_half

SPLITS = 100
MEASURES = tuple(name for name, metric in METRICS.items() if not metric.uses_raters)
"""without kl, for which half a panel, that leaves grades out, is no prediction"""


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


@dataclass(frozen=True, eq=False)
class Halves:
    """Votes of two disjoint halves, (N, K) each, and how many the whole panel gave, (N,)."""

    first_NK: NDArray
    second_NK: NDArray
    all_N: NDArray


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
    return _agreement(
        "raters",
        (
            Halves(vote_NRK[:, order[:half]].sum(1), vote_NRK[:, order[num_raters - half :]].sum(1), all_N)
            for order in np.asarray(orders_SR)
        ),
    )


def agreement_of_votes(votes_NK: ArrayLike) -> PanelAgreement | None:
    """The votes of each clip are halved by themselves, where who gave them is not known. None: no clip has two."""
    votes_NK, rng = np.asarray(votes_NK), np.random.default_rng(0)
    votes_NK = votes_NK[votes_NK.sum(1) >= 2]
    if not len(votes_NK):
        return None

    def splits() -> Iterator[Halves]:
        half_N1 = votes_NK.sum(1, keepdims=True) // 2
        for _ in range(SPLITS):
            first_NK, second_NK = split_half(votes_NK, rng)
            yield Halves(first_NK * half_N1, second_NK * half_N1, votes_NK.sum(1))

    return _agreement("votes", splits())


def _agreement(kind: str, splits: Iterable[Halves]) -> PanelAgreement | None:
    measures, ceilings, clips = [], [], []
    for halves in splits:
        sizes_2N = np.stack([halves.first_NK.sum(1), halves.second_NK.sum(1)])
        rated = (sizes_2N > 0).all(0)
        if not rated.any():
            continue
        sizes_2N = sizes_2N[:, rated]
        votes_2NK = np.stack([halves.first_NK, halves.second_NK])[:, rated]
        first_NK, second_NK = votes_2NK / sizes_2N[:, :, None]
        measures.append([METRICS[name].of_all(first_NK, second_NK) for name in MEASURES])
        # The mean square between shares of n1 and n2 votes is S^2 (1/n1 + 1/n2), from all R to the truth S^2 / R.
        of_halves_N = squared_error(first_NK, second_NK) / (1 / sizes_2N).sum(0)
        ceilings.append((of_halves_N / halves.all_N[rated]).mean())
        clips.append(rated.sum())
    if not measures:
        return None
    means = dict(zip(MEASURES, np.mean(measures, axis=0).tolist(), strict=True))
    return PanelAgreement(kind, int(min(clips)), len(clips), means, float(np.mean(ceilings)))
