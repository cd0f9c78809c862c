"""Measures of predicted against voted distributions over ordered grades.

All take prediction_NK and target_NK, rows that sum to 1, grades best first. Those that are a mean over clips
also exist clip by clip, (N,), which paired comparisons need.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr

PANEL = 40
"""raters of the paper's panel; only `kl` needs to know"""

SMALLEST = 1e-12
"""what `kl` takes a predicted probability of less for, so that one underflow does not make it infinite"""


@dataclass(frozen=True)
class Metric:
    """One measure; `better` is 'lower' or 'higher'."""

    name: str
    better: str
    definition: str
    per_clip: Callable[..., NDArray] | None
    """(prediction_NK, target_NK) -> (N,), or None where only `of_all` is defined"""
    of_all: Callable[..., float]
    """(prediction_NK, target_NK) -> one number; the mean of `per_clip` where that exists"""
    uses_raters: bool = False
    """takes `raters=` too"""


def checked(prediction_NK: ArrayLike, target_NK: ArrayLike) -> tuple[NDArray, NDArray]:
    """Both as float64 arrays, or a ValueError that names the first row that is no distribution."""
    prediction, target = (np.asarray(x, dtype=np.float64) for x in (prediction_NK, target_NK))
    if prediction.shape != target.shape or prediction.ndim != 2 or not len(prediction) or prediction.shape[1] < 2:
        raise ValueError(
            f"expected predictions and targets of one shape (clips, 2 grades or more), got {prediction.shape} "
            f"and {target.shape}"
        )
    for name, dist_NK in (("prediction", prediction), ("target", target)):
        # float16 rows sum to 1 within 1e-3
        wrong_N = ~((dist_NK >= 0).all(axis=1) & (np.abs(dist_NK.sum(axis=1) - 1) < 2e-3))
        if wrong_N.any():
            row = int(wrong_N.argmax())
            raise ValueError(f"{name} of row {row} is no distribution: {dist_NK[row].tolist()}")
    return prediction, target


def squared_error(prediction_NK: ArrayLike, target_NK: ArrayLike) -> NDArray:
    prediction, target = checked(prediction_NK, target_NK)
    return ((prediction - target) ** 2).mean(axis=1)


def cumulative_difference(prediction_NK: ArrayLike, target_NK: ArrayLike) -> NDArray:
    """F - G, (N, K - 1); the last entry, always 0, is left out."""
    prediction, target = checked(prediction_NK, target_NK)
    return (prediction - target).cumsum(axis=1)[:, :-1]


def earth_movers_distance(prediction_NK: ArrayLike, target_NK: ArrayLike) -> NDArray:
    return np.abs(cumulative_difference(prediction_NK, target_NK)).sum(axis=1)


def ranked_probability_score(prediction_NK: ArrayLike, target_NK: ArrayLike) -> NDArray:
    return (cumulative_difference(prediction_NK, target_NK) ** 2).sum(axis=1)


def kullback_leibler(prediction_NK: ArrayLike, target_NK: ArrayLike, *, raters: ArrayLike = PANEL) -> NDArray:
    """raters: votes behind each target row, one number or (N,)."""
    prediction, target = checked(prediction_NK, target_NK)
    raters_N1 = np.broadcast_to(np.asarray(raters, dtype=np.float64), len(target))[:, None]
    smoothed = (raters_N1 * target + 0.5) / (raters_N1 + 0.5 * target.shape[1])
    return rel_entr(smoothed, np.maximum(prediction, SMALLEST)).sum(axis=1)


def jensen_shannon(prediction_NK: ArrayLike, target_NK: ArrayLike) -> NDArray:
    prediction, target = checked(prediction_NK, target_NK)
    middle = (prediction + target) / 2
    return (rel_entr(prediction, middle) + rel_entr(target, middle)).sum(axis=1) / 2


def expected_grade(dist_NK: ArrayLike) -> NDArray:
    """(N,) mean grade, 1 for the best to K for the worst."""
    dist_NK = np.asarray(dist_NK, dtype=np.float64)
    return dist_NK @ np.arange(1, dist_NK.shape[1] + 1)


def expected_grade_error(prediction_NK: ArrayLike, target_NK: ArrayLike) -> NDArray:
    prediction, target = checked(prediction_NK, target_NK)
    return np.abs(expected_grade(prediction) - expected_grade(target))


def expected_grade_rank_correlation(prediction_NK: ArrayLike, target_NK: ArrayLike) -> float:
    """NaN where all predictions or all targets have one expected grade: then there is no order."""
    grades = [expected_grade(dist) for dist in checked(prediction_NK, target_NK)]
    if any(np.ptp(grade_N) < 1e-12 for grade_N in grades):
        return float("nan")
    # As scipy.stats does it, which takes two thirds of a second to import: every training ends with these measures.
    return float(np.corrcoef([pd.Series(grade_N).rank() for grade_N in grades])[0, 1])


def top_grade_agreement(prediction_NK: ArrayLike, target_NK: ArrayLike) -> NDArray:
    """1 where the top grade of the prediction is a top grade of the target, however many tie there.

    Where the prediction ties, the share of its top grades that are.
    """
    prediction_top, target_top = (
        np.isclose(dist, dist.max(axis=1, keepdims=True), rtol=0, atol=1e-9)
        for dist in checked(prediction_NK, target_NK)
    )
    return (prediction_top & target_top).sum(axis=1) / prediction_top.sum(axis=1)


def mean_of(per_clip: Callable[..., NDArray]) -> Callable[..., float]:
    return lambda prediction_NK, target_NK, **raters: float(per_clip(prediction_NK, target_NK, **raters).mean())


def averaged(name: str, better: str, definition: str, per_clip: Callable[..., NDArray], **fields) -> Metric:
    return Metric(name, better, definition, per_clip, mean_of(per_clip), **fields)


METRICS = {
    metric.name: metric
    for metric in (
        averaged("mse", "lower", "squared error of the probabilities, mean over grades and clips", squared_error),
        averaged(
            "emd", "lower", "earth mover's distance in grades, sum |F - G| of the cumulatives", earth_movers_distance
        ),
        averaged(
            "rps", "lower", "ranked probability score, sum (F - G)^2 of the cumulatives", ranked_probability_score
        ),
        averaged(
            "kl",
            "lower",
            "Kullback-Leibler divergence in nats from the prediction to the votes, half a vote added to each grade "
            f"(of {PANEL} votes where nothing says how many voted)",
            kullback_leibler,
            uses_raters=True,
        ),
        averaged("js", "lower", "Jensen-Shannon divergence in nats (not its square root)", jensen_shannon),
        averaged("mae", "lower", "absolute error of the expected grade, in grades", expected_grade_error),
        Metric(
            "spearman",
            "higher",
            "rank correlation of predicted and voted expected grade",
            None,
            expected_grade_rank_correlation,
        ),
        averaged(
            "top",
            "higher",
            "share of clips whose most likely grade is a most voted one, ties counted",
            top_grade_agreement,
        ),
    )
}
"""the measures by name; `mse` is the primary one"""


def evaluate(prediction_NK: ArrayLike, target_NK: ArrayLike, *, raters: ArrayLike = PANEL) -> dict[str, float]:
    """Every measure of METRICS by name."""
    extra = {True: {"raters": raters}, False: {}}
    return {name: m.of_all(prediction_NK, target_NK, **extra[m.uses_raters]) for name, m in METRICS.items()}
