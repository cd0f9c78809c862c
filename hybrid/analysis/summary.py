"""One number of several trainings of a model: its mean, how sure it is over clips, how far trainings differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from hybrid.evaluation.statistics import clustered_bootstrap

NAN = float("nan")


@dataclass(frozen=True)
class Summary:
    """mean over all values; low, high: its 95 % interval, NaN where there is too little for one.

    seed_means: of each training. seed_sd: their standard deviation, NaN for one training. values: how many there were.
    """

    mean: float
    low: float
    high: float
    seed_means: tuple[float, ...]
    seed_sd: float
    values: int


def over_clips(figure_SN: Sequence[np.ndarray], group_SN: Sequence[Sequence[str]]) -> Summary:
    """A figure with a number a clip, of S trainings; those that are NaN are left out.

    group_SN: what may not be split, a patient or a source video, or the clip's own name. The interval is over other
    clips of the same kind, for these very trainings: groups are drawn whole, with the values that all trainings have
    for them, whether they share clips or not (`clustered_bootstrap`). What another training would give, `seed_sd` says.
    """
    figures = [np.asarray(figure_N, dtype=np.float64) for figure_N in figure_SN]
    value_V, group_V = np.concatenate(figures), np.concatenate([np.asarray(group_N, str) for group_N in group_SN])
    if len(value_V) != len(group_V):
        raise ValueError(f"expected a group for each of {len(value_V)} values, got {len(group_V)}")
    exists_V = ~np.isnan(value_V)
    value_V, group_V = value_V[exists_V], group_V[exists_V]
    low = high = NAN
    if len(set(group_V)) > 1:
        interval = clustered_bootstrap(value_V, group_V)
        low, high = interval.low, interval.high
    return Summary(_mean(value_V), low, high, *_seeds([_mean(figure_N) for figure_N in figures]), len(value_V))


def over_seeds(number_S: Sequence[float]) -> Summary:
    """A number that only all clips together have, of S trainings; the interval is Student's, over other trainings."""
    number_S = np.asarray(number_S, dtype=np.float64)
    numbers = number_S[~np.isnan(number_S)]
    low = high = NAN
    if len(numbers) > 1:
        half = stats.t.ppf(0.975, len(numbers) - 1) * numbers.std(ddof=1) / np.sqrt(len(numbers))
        low, high = numbers.mean() - half, numbers.mean() + half
    return Summary(_mean(numbers), float(low), float(high), *_seeds(number_S.tolist()), len(numbers))


def _mean(values: np.ndarray) -> float:
    """Of those that are not NaN."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else NAN


def _seeds(means: list[float]) -> tuple[tuple[float, ...], float]:
    known = [mean for mean in means if not np.isnan(mean)]
    return tuple(means), float(np.std(known, ddof=1)) if len(known) > 1 else NAN
