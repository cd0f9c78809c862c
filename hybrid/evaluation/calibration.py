"""Are the tests what they say? Many small experiments whose truth is known, cross-validated like the real ones.

Two small models are fitted to clips of donors, graded by a panel, over grouped folds and repeats: the runs of one
experiment share clips and training sets, and are correlated just as those of large models are. Three pairs:

    equal     two models that see different features of equal worth: on average over data sets they err alike
    seeds     one model trained twice, with other random weights in every run
    unequal   two models of which one sees a feature less: the interval must hold the true difference
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import softmax

from hybrid.evaluation.statistics import clustered_bootstrap, corrected_resampled_t

PAIRS = ("equal", "seeds", "unequal")
FEATURES, GRADES, CLIPS_A_GROUP, RATERS = 8, 5, 5, 40
NEW_GROUPS = 200
"""of clips that no run has seen, on which the truth about a run's models is measured"""

# The same weights for both halves of the features make them of equal worth in every population.
_half = np.random.default_rng(12).normal(size=(FEATURES // 2, GRADES))
WEIGHTS_DK = 0.5 * np.concatenate([_half, _half])


@dataclass(frozen=True)
class Trial:
    """One experiment of R repeats and F folds; differences are of squared error, first model minus second.

    difference_RF: of each run's mean. clip_RN: of each clip, in each repeat. truth_RF: of each run's models on new
    clips.
    """

    difference_RF: np.ndarray
    clip_RN: np.ndarray
    truth_RF: np.ndarray
    group_N: np.ndarray


def simulate(pair: str, rng: np.random.Generator, groups: int = 40, folds: int = 5, repeats: int = 5) -> Trial:
    x_ND, y_NK, group_N = _clips(rng, groups)
    new_ND, new_NK, _ = _clips(rng, NEW_GROUPS)
    difference_RF, truth_RF = np.empty((2, repeats, folds))
    clip_RN = np.empty((repeats, len(x_ND)))
    for repeat in range(repeats):
        fold_N = (rng.permutation(groups) % folds)[group_N]
        for fold in range(folds):
            test_N = fold_N == fold
            models = _fit(pair, rng, x_ND[~test_N], y_NK[~test_N])
            clip_RN[repeat, test_N] = _difference(models, x_ND[test_N], y_NK[test_N])
            difference_RF[repeat, fold] = clip_RN[repeat, test_N].mean()
            truth_RF[repeat, fold] = _difference(models, new_ND, new_NK).mean()
    return Trial(difference_RF, clip_RN, truth_RF, group_N)


def calibrate(
    pair: str,
    trials: int,
    *,
    repeats: tuple[int, ...] = (1, 3, 5),
    groups: int = 40,
    seed: int = 0,
    step: Callable[[], object] = lambda: None,
) -> pd.DataFrame:
    """A row a number of repeats (of 5 folds), over the same `trials` experiments; shares, nominal 0.05 or 0.95.

    rejects, plain_rejects: corrected and plain t with p < 0.05 (NaN for 'unequal', where they should).
    covers: the corrected t's 95 % interval, of the mean difference over data sets.
    clips_cover: the clustered bootstrap's, of the difference these trained models have on new clips.
    clips_cover_mean: the same interval, of the mean difference over data sets, which it does not claim to hold.
    single_covers: `clips_cover` if every clip were taken for its own group.
    correlation: of two runs of one experiment; the corrected test takes it to be 0.2.
    step: called after each trial.
    """
    if pair not in PAIRS:
        raise ValueError(f"pair must be one of {PAIRS}, not {pair!r}")
    rng = np.random.default_rng((seed, PAIRS.index(pair)))
    done = []
    for _ in range(trials):
        done.append(simulate(pair, rng, groups, repeats=max(repeats)))
        step()
    # Equal by construction, or known from many more clips and runs than one experiment has.
    truth = 0.0 if pair != "unequal" else float(np.mean([trial.truth_RF for trial in done]))
    return pd.DataFrame([{"pair": pair} | _row(done, count, truth, reject=pair != "unequal") for count in repeats])


def monte_carlo_error(share: float, trials: int) -> float:
    """One standard error of a share of `trials`."""
    return float(np.sqrt(share * (1 - share) / trials))


def _row(trials: list[Trial], repeats: int, truth: float, reject: bool) -> dict[str, float]:
    seen = []
    for trial in trials:
        difference_n = trial.difference_RF[:repeats].ravel()
        test = corrected_resampled_t(difference_n, test_to_train=1 / (trial.difference_RF.shape[1] - 1))
        clip_N, of_these = trial.clip_RN[:repeats].mean(0), trial.truth_RF[:repeats].mean()
        clustered = clustered_bootstrap(clip_N, trial.group_N, repetitions=1000)
        single = clustered_bootstrap(clip_N, repetitions=1000)
        seen.append(
            {
                "rejects": test.p < 0.05,
                "plain_rejects": stats.ttest_1samp(difference_n, 0).pvalue < 0.05,
                "covers": test.low <= truth <= test.high,
                "clips_cover": clustered.low <= of_these <= clustered.high,
                "clips_cover_mean": clustered.low <= truth <= clustered.high,
                "single_covers": single.low <= of_these <= single.high,
            }
        )
    shares = pd.DataFrame(seen).mean().to_dict()
    if not reject:
        shares |= {"rejects": np.nan, "plain_rejects": np.nan}
    return {"repeats": repeats, "trials": len(trials), **shares, "correlation": _correlation(trials, repeats)}


def _correlation(trials: list[Trial], repeats: int) -> float:
    """Of two runs of one experiment, over experiments: from the variance of the mean and the mean variance."""
    runs_nM = np.array([trial.difference_RF[:repeats].ravel() for trial in trials])
    n, total = runs_nM.shape[1], runs_nM.var(axis=0, ddof=1).mean()
    return float((n * runs_nM.mean(axis=1).var(ddof=1) / total - 1) / (n - 1))


def _clips(rng: np.random.Generator, groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, the panel's shares of votes, and donors; clips of one donor look and are graded alike."""
    group_N = np.repeat(np.arange(groups), CLIPS_A_GROUP)
    x_ND = 0.6 * rng.normal(size=(groups, FEATURES))[group_N] + 0.8 * rng.normal(size=(len(group_N), FEATURES))
    liking_NK = 0.5 * rng.normal(size=(groups, GRADES))[group_N]
    share_NK = softmax(x_ND @ WEIGHTS_DK + liking_NK, axis=1)
    return x_ND, rng.multinomial(RATERS, share_NK) / RATERS, group_N


def _fit(pair: str, rng: np.random.Generator, x_ND: np.ndarray, y_NK: np.ndarray) -> list[Callable]:
    half = FEATURES // 2
    if pair == "seeds":
        weights = rng.normal(size=(2, FEATURES, 12)) / np.sqrt(FEATURES)
        views = [lambda x, w=w: np.tanh(x @ w) for w in weights]
    else:
        second = slice(half, FEATURES - (pair == "unequal"))
        views = [lambda x: x[:, :half], lambda x: x[:, second]]
    return [_least_squares(view, x_ND, y_NK) for view in views]


def _least_squares(view: Callable, x_ND: np.ndarray, y_NK: np.ndarray) -> Callable:
    def seen(x: np.ndarray) -> np.ndarray:
        return np.concatenate([view(x), np.ones((len(x), 1))], axis=1)

    inputs = seen(x_ND)
    weights = np.linalg.solve(inputs.T @ inputs, inputs.T @ y_NK)
    return lambda x: seen(x) @ weights


def _difference(models: list[Callable], x_ND: np.ndarray, y_NK: np.ndarray) -> np.ndarray:
    first_N, second_N = (((model(x_ND) - y_NK) ** 2).mean(axis=1) for model in models)
    return first_N - second_N
