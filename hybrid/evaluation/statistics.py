"""Is one model better than another? Four tests of paired differences.

Differences are of errors, first model minus second: negative means that the first is better.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True)
class CorrectedT:
    """Result of `corrected_resampled_t`."""

    mean: float
    low: float
    high: float
    """the interval of the mean difference"""
    t: float
    df: int
    p: float
    """two-sided"""


def corrected_resampled_t(
    difference_n: ArrayLike, test_to_train: float, confidence: float = 0.95, least: float = -np.inf
) -> CorrectedT:
    """t test on differences between runs whose training sets overlap.

    difference_n: one a fold and repeat. test_to_train: clips of a test fold over those of its training set, 0.25 for
    5 folds. t = mean / sqrt(s^2 (1/n + n_test / n_train)) with n - 1 degrees of freedom (Nadeau and Bengio,
    Inference for the generalization error, Machine Learning, 2003; for repeated folds Bouckaert and Frank, 2004).
    least: that such a mean can be, 0 of an error; the interval is cut there.
    """
    difference_n = checked(difference_n)
    mean, scale, df = posterior(difference_n, test_to_train)
    if scale == 0:
        t = 0.0 if mean == 0 else float(np.copysign(np.inf, mean))
    else:
        t = mean / scale
    half = float(stats.t.ppf((1 + confidence) / 2, df)) * scale
    return CorrectedT(mean, max(least, mean - half), mean + half, t, df, p=float(2 * stats.t.sf(abs(t), df)))


@dataclass(frozen=True)
class CorrelatedT:
    """Result of `bayesian_correlated_t`; the three probabilities sum to 1."""

    first_better: float
    equivalent: float
    second_better: float


def bayesian_correlated_t(difference_n: ArrayLike, test_to_train: float, rope: float = 0.0005) -> CorrelatedT:
    """Probability that the mean difference lies below, within and above +-rope, by the posterior of the mean.

    A t of n - 1 degrees of freedom around the mean with the corrected test's scale (Corani and Benavoli, A Bayesian
    approach for comparing cross-validated algorithms, Machine Learning, 2015, with correlation
    n_test / (n_test + n_train)). rope: in the units of the differences; 0.05 x 10^-2 of MSE by default.
    """
    if rope < 0:
        raise ValueError(f"rope must not be negative, got {rope}")
    mean, scale, df = posterior(checked(difference_n), test_to_train)
    if scale == 0:
        below, above = float(mean < -rope), float(mean > rope)
    else:
        below = float(stats.t.cdf((-rope - mean) / scale, df))
        above = float(stats.t.sf((rope - mean) / scale, df))
    return CorrelatedT(first_better=below, equivalent=1 - below - above, second_better=above)


def posterior(difference_n: NDArray, test_to_train: float) -> tuple[float, float, int]:
    """Mean, corrected scale and degrees of freedom."""
    if test_to_train <= 0:
        raise ValueError(f"test_to_train must be positive, got {test_to_train}")
    n = len(difference_n)
    scale = np.sqrt(difference_n.var(ddof=1) * (1 / n + test_to_train))
    return float(difference_n.mean()), float(scale), n - 1


def holm(p_values: ArrayLike) -> NDArray:
    """p values adjusted for their number, in the order given (Holm, A simple sequentially rejective multiple test
    procedure, 1979)."""
    p_values = np.asarray(p_values, dtype=np.float64)
    if p_values.ndim != 1 or not ((p_values >= 0) & (p_values <= 1)).all():
        raise ValueError(f"expected a list of probabilities, got {p_values.tolist()}")
    order = p_values.argsort(kind="stable")
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    return adjusted.clip(max=1)


@dataclass(frozen=True)
class Bootstrap:
    """Result of `clustered_bootstrap`: the mean and its percentile interval."""

    mean: float
    low: float
    high: float


FEWEST_DRAWN = 6
"""groups whose means are drawn anew; on pure noise the interval of 5 would leave zero out in a tenth of cases"""


def clustered_bootstrap(
    difference_N: ArrayLike,
    group_N: ArrayLike | None = None,
    *,
    repetitions: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Bootstrap:
    """Interval of the mean difference over clips when groups, each whole, are drawn anew with replacement.

    difference_N: one a clip, averaged over repeats. group_N: what may not be split (patient, video); None: every
    clip is its own. Percentile interval, expanded as Hesterberg (What teachers should know about the bootstrap, The
    American Statistician, 2015) does it, because the plain one is narrow with few groups: for normal group
    means of 40 groups it covers 94 %, of 10 groups 90 %. Below FEWEST_DRAWN groups there are too few different draws
    for tails (of 2 groups the expanded one, too, would cover a half): the interval is then of Student's t, with the
    groups' residuals (A. C. Cameron, D. L. Miller: A Practitioner's Guide to Cluster-Robust Inference, Journal of Human
    Resources, 2015, equation 11 for a mean).
    """
    difference_N = checked(difference_N)
    group_N = np.arange(len(difference_N)) if group_N is None else np.asarray(group_N)
    if group_N.shape != difference_N.shape:
        raise ValueError(f"expected one group a clip: {len(difference_N)} clips, groups of shape {group_N.shape}")
    _, member_N = np.unique(group_N, return_inverse=True)
    sums, sizes = np.bincount(member_N, weights=difference_N), np.bincount(member_N)
    groups = len(sums)
    if groups < 2:
        raise ValueError("a bootstrap over groups needs 2 groups or more")
    if groups < FEWEST_DRAWN:
        mean = sums.sum() / sizes.sum()
        error = np.sqrt(groups / (groups - 1) * np.square(sums - mean * sizes).sum()) / sizes.sum()
        half = stats.t.ppf((1 + confidence) / 2, groups - 1) * error
        return Bootstrap(float(mean), float(mean - half), float(mean + half))
    drawn = _draws(groups, repetitions, seed)
    means = (drawn @ sums) / (drawn @ sizes)
    tail = expanded_tail(groups, confidence)
    low, high = np.quantile(means, [tail, 1 - tail])
    return Bootstrap(float(difference_N.mean()), float(low), float(high))


def expanded_tail(groups: int, confidence: float) -> float:
    """The share of bootstrap means outside either end of the interval: (1 - confidence) / 2 only for many groups.

    It is the normal tail beyond the t quantile of groups - 1 degrees of freedom, times sqrt(groups / (groups - 1))
    since drawing groups varies as if their variance were divided by `groups`.
    """
    return float(stats.norm.sf(stats.t.ppf((1 + confidence) / 2, groups - 1) * np.sqrt(groups / (groups - 1))))


@lru_cache(maxsize=2)
def _draws(groups: int, repetitions: int, seed: int) -> NDArray:
    """How often each group is drawn, (repetitions, groups). Kept, for the contrasts of many models share it."""
    drawn = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), size=repetitions)
    return drawn.astype(np.float64)


def checked(difference: ArrayLike) -> NDArray:
    difference = np.asarray(difference, dtype=np.float64)
    if difference.ndim != 1 or len(difference) < 2 or not np.isfinite(difference).all():
        raise ValueError(f"expected 2 finite differences or more in one list, got shape {difference.shape}")
    return difference
