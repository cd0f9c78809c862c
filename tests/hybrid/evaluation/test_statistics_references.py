"""The tests of differences against other people's code: scikit-learn's example, baycomp and statsmodels."""

import baycomp
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.model_selection import GridSearchCV, RepeatedStratifiedKFold
from sklearn.svm import SVC
from statsmodels.stats.multitest import multipletests

from hybrid.evaluation.statistics import bayesian_correlated_t, clustered_bootstrap, corrected_resampled_t, holm


@pytest.fixture(scope="module")
def two_kernels():
    """Scores of the two best models of scikit-learn's example "Statistical comparison of models using grid search"."""
    x, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    search = GridSearchCV(
        SVC(random_state=0),
        [{"kernel": ["linear"]}, {"kernel": ["rbf"]}],
        scoring="roc_auc",
        cv=RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0),
    ).fit(x, y)
    results = pd.DataFrame(search.cv_results_).filter(regex=r"split\d+_test_score")
    linear, rbf = results.to_numpy()
    return rbf, linear


def test_scikit_learns_example(two_kernels):
    """It finds a corrected t of 0.750, p 0.227 (of one side), rbf better with probability 0.773; beyond a rope of 0.01
    rbf is worse with 0.068, better with 0.500."""
    rbf, linear = two_kernels
    test = corrected_resampled_t(rbf - linear, test_to_train=10 / 90)
    assert (test.t, test.p / 2) == pytest.approx((0.750, 0.227), abs=5e-4)
    # first_better is of errors, of which less is better: here the share below -rope
    assert bayesian_correlated_t(rbf - linear, 10 / 90, rope=0).second_better == pytest.approx(0.773, abs=5e-4)
    bayes = bayesian_correlated_t(rbf - linear, 10 / 90, rope=0.01)
    assert (bayes.first_better, bayes.second_better) == pytest.approx((0.068, 0.5), abs=5e-4)


def test_scikit_learns_formula(two_kernels):
    """Written out as the example does it: the sd of the differences, corrected, and a t of n - 1 degrees of freedom."""
    difference = np.subtract(*two_kernels)
    corrected_sd = np.sqrt(np.var(difference, ddof=1) * (1 / 100 + 10 / 90))
    t = difference.mean() / corrected_sd
    test = corrected_resampled_t(difference, 10 / 90)
    assert (test.t, test.p) == pytest.approx((t, 2 * stats.t.sf(abs(t), 99)), rel=1e-12)
    assert (test.low, test.high) == pytest.approx(
        stats.t.interval(0.95, 99, difference.mean(), corrected_sd), rel=1e-12
    )


@pytest.mark.parametrize("rope", [0.0005, 0.01, 0.05])
def test_baycomp(two_kernels, rope):
    rbf, linear = two_kernels
    left, within, right = baycomp.two_on_single(linear, rbf, rope=rope, runs=10)
    ours = bayesian_correlated_t(rbf - linear, 1 / 9, rope=rope)
    # baycomp's difference is its second less its first argument
    assert (ours.first_better, ours.equivalent, ours.second_better) == pytest.approx((left, within, right), abs=1e-12)


def test_holm_of_statsmodels():
    rng = np.random.default_rng(0)
    for size in (1, 2, 5, 20):
        p = rng.beta(0.3, 1, size)
        np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], rtol=1e-12)
    np.testing.assert_allclose(holm([0.02, 0.02, 0.5]), multipletests([0.02, 0.02, 0.5], method="holm")[1])


@pytest.fixture(scope="module")
def errors():
    """Of two models on 60 clips in 5 folds: clips differ in difficulty, and so do folds."""
    rng = np.random.default_rng(3)
    clip_N, fold_N = rng.normal(size=60), rng.normal(size=5)[np.arange(60) % 5]
    return 3 + clip_N + 1.5 * fold_N + 0.5 * rng.normal(size=(2, 60)) + np.array([[0.2], [0]])


def test_the_bootstrap_of_clips_and_a_mixed_model_agree(errors):
    """err ~ model + (1|clip) + (1|fold): one repeat, balanced, so its model effect is the paired mean difference."""
    rows = pd.DataFrame(
        {
            "err": errors.ravel(),
            "model": np.repeat([1, 0], 60),
            "clip": np.tile(np.arange(60), 2),
            "fold": np.tile(np.arange(60) % 5, 2),
            "all": 1,
        }
    )
    parts = {"clip": "0 + C(clip)", "fold": "0 + C(fold)"}
    mixed = smf.mixedlm("err ~ model", rows, groups="all", vc_formula=parts).fit(method="lbfgs")
    assert mixed.converged
    difference = errors[0] - errors[1]
    assert mixed.params["model"] == pytest.approx(difference.mean(), rel=1e-6)
    assert mixed.bse["model"] == pytest.approx(stats.sem(difference), rel=1e-3)
    low, high = mixed.conf_int().loc["model"]
    ours = clustered_bootstrap(difference)
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.05 * (high - low))
