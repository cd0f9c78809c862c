import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from hybrid.evaluation.statistics import bayesian_correlated_t, clustered_bootstrap, corrected_resampled_t, holm


def t_cdf_of_4_degrees(t):
    """In closed form."""
    return 0.5 + 3 / 8 * t / np.sqrt(1 + t**2 / 4) * (1 - t**2 / (12 * (1 + t**2 / 4)))


def test_corrected_t_worked_by_hand():
    result = corrected_resampled_t([0.001, 0.002, 0.003, 0.004, 0.005], test_to_train=0.25)
    # variance 2.5e-6, scale sqrt(2.5e-6 (1/5 + 1/4)), t sqrt(8)
    assert result.mean == pytest.approx(0.003)
    assert result.t == pytest.approx(np.sqrt(8))
    assert result.df == 4
    assert result.p == pytest.approx(2 * (1 - t_cdf_of_4_degrees(np.sqrt(8))))
    assert (result.high - result.mean) == pytest.approx(2.7764451 * np.sqrt(1.125e-6), rel=1e-6)
    assert result.low + result.high == pytest.approx(0.006)


def test_corrected_t_nears_the_plain_t_for_small_test_sets():
    difference = np.random.default_rng(0).normal(0.5, 1, 20)
    plain = stats.ttest_1samp(difference, 0)
    result = corrected_resampled_t(difference, test_to_train=1e-12)
    assert (result.t, result.p) == pytest.approx((plain.statistic, plain.pvalue))
    assert (result.low, result.high) == pytest.approx(tuple(plain.confidence_interval()))


def test_differences_without_spread():
    assert corrected_resampled_t([0.0, 0.0, 0.0], 0.25).p == 1
    assert corrected_resampled_t([0.5, 0.5, 0.5], 0.25).p == 0
    assert bayesian_correlated_t([0.0, 0.0], 0.25).equivalent == 1
    assert bayesian_correlated_t([-0.5, -0.5], 0.25).first_better == 1


def test_bayesian_correlated_t_worked_by_hand():
    result = bayesian_correlated_t([-0.001, -0.002, -0.003, -0.004, -0.005], 0.25, rope=0.001)
    scale = np.sqrt(1.125e-6)
    assert result.first_better == pytest.approx(t_cdf_of_4_degrees(0.002 / scale))
    assert result.second_better == pytest.approx(1 - t_cdf_of_4_degrees(0.004 / scale))
    assert result.first_better + result.equivalent + result.second_better == pytest.approx(1)


def test_bayes_and_the_corrected_test_agree_without_a_region():
    difference = np.random.default_rng(1).normal(0.3, 1, 15)
    p = corrected_resampled_t(difference, 0.25).p
    assert bayesian_correlated_t(difference, 0.25, rope=0).first_better == pytest.approx(p / 2)


def test_holm_worked_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.6, 0.5]), [1, 1])
    with pytest.raises(ValueError, match="probabilities"):
        holm([0.5, np.nan])


def test_bootstrap_of_single_clips_nears_the_normal_interval():
    difference = np.random.default_rng(0).normal(0.1, 1, 400)
    result = clustered_bootstrap(difference)
    half = 1.96 * difference.std() / 20
    assert (result.low, result.high) == pytest.approx((result.mean - half, result.mean + half), abs=0.1 * half)
    assert clustered_bootstrap(difference) == result, "one seed, one interval"


def test_bootstrap_of_few_clips_nears_the_t_interval():
    difference = np.random.default_rng(2).normal(0.1, 1, 8)
    result = clustered_bootstrap(difference, repetitions=200_000)
    plain = stats.ttest_1samp(difference, 0).confidence_interval()
    # A bootstrap of 8 has lighter tails than the normal; the unexpanded interval is a quarter shorter.
    assert result.high - result.low == pytest.approx(plain.high - plain.low, rel=0.08)


def test_bootstrap_draws_whole_groups():
    difference, group = [0.0] * 15 + [1.0] * 3, np.repeat(range(6), 3)
    result = clustered_bootstrap(difference, group)
    # of six groups of which one is all ones, so many sixths; of eighteen clips it would be eighteenths
    assert result.low == 0 and 6 * result.high == pytest.approx(round(6 * result.high))
    assert round(6 * result.high) >= 3


@pytest.mark.parametrize("groups", [2, 3, 5])
def test_an_interval_of_few_groups_is_students(groups):
    rng = np.random.default_rng(groups)
    difference = rng.normal(0.1, 1, groups)
    ours, theirs = clustered_bootstrap(difference), stats.ttest_1samp(difference, 0).confidence_interval()
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)
    group = rng.integers(0, groups, 40)
    group[:groups] = range(groups)
    difference = rng.normal(size=groups)[group] + rng.normal(size=40)
    robust = sm.OLS(difference, np.ones(40)).fit(
        cov_type="cluster", cov_kwds={"groups": group, "df_correction": True, "use_correction": False}, use_t=True
    )
    low, high = robust.conf_int()[0]
    ours = clustered_bootstrap(difference, group)
    correction = np.sqrt(groups / (groups - 1))
    assert ours.high - ours.low == pytest.approx(correction * (high - low), rel=1e-6)
    assert ours.mean == pytest.approx(robust.params[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: corrected_resampled_t([0.1], 0.25), "2 finite differences"),
        (lambda: corrected_resampled_t([0.1, np.nan], 0.25), "2 finite differences"),
        (lambda: corrected_resampled_t([0.1, 0.2], 0), "test_to_train"),
        (lambda: bayesian_correlated_t([0.1, 0.2], 0.25, rope=-1), "rope"),
        (lambda: clustered_bootstrap([0.1, 0.2], ["a"]), "one group a clip"),
        (lambda: clustered_bootstrap([0.1, 0.2], ["a", "a"]), "2 groups"),
    ],
)
def test_what_cannot_be_tested_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def cross_validated_differences(rng, clips=60, folds=5, repeats=3):
    """Two equally good models, least squares on either half of the features, on the same folds."""
    x = rng.normal(size=(clips, 6))
    y = x.sum(axis=1) + rng.normal(size=clips)
    differences = []
    for _ in range(repeats):
        for test in np.array_split(rng.permutation(clips), folds):
            train = np.setdiff1d(np.arange(clips), test)
            errors = []
            for columns in (slice(0, 3), slice(3, 6)):
                weights = np.linalg.lstsq(x[train, columns], y[train])[0]
                errors.append(((x[test, columns] @ weights - y[test]) ** 2).mean())
            differences.append(errors[0] - errors[1])
    return differences


def test_the_corrected_test_finds_no_difference_between_equal_models_and_the_plain_one_does():
    rng = np.random.default_rng(0)
    trials = [cross_validated_differences(rng) for _ in range(300)]
    corrected = np.mean([corrected_resampled_t(d, 0.25).p < 0.05 for d in trials])
    plain = np.mean([stats.ttest_1samp(d, 0).pvalue < 0.05 for d in trials])
    # 0.05 and three standard errors of a share of 300 trials
    assert corrected <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
    assert plain > 0.15


def test_the_clustered_interval_covers_the_truth_and_the_unclustered_does_not():
    rng = np.random.default_rng(0)
    groups, trials = 40, 400
    group = np.repeat(np.arange(groups), 5)
    covered = {"clustered": 0, "single": 0}
    for trial in range(trials):
        difference = rng.normal(size=groups)[group] + 0.5 * rng.normal(size=len(group))
        for name, by in (("clustered", group), ("single", None)):
            interval = clustered_bootstrap(difference, by, repetitions=500, seed=trial)
            covered[name] += interval.low <= 0 <= interval.high
    assert covered["clustered"] / trials == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / trials))
    assert covered["single"] / trials < 0.8
