import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, spearmanr, wasserstein_distance
from sklearn.metrics import mean_absolute_error, mean_squared_error

from hybrid.evaluation.metrics import METRICS, evaluate, expected_grade
from hybrid.evaluation.panel import noise_ceiling, split_half


@pytest.fixture
def distributions():
    rng = np.random.default_rng(0)
    votes = rng.multinomial(40, [0.3, 0.3, 0.2, 0.15, 0.05], size=50)
    return rng.dirichlet(np.ones(5), size=50), votes / 40


def per_clip(name, prediction, target, **raters):
    return METRICS[name].per_clip(prediction, target, **raters)


def test_against_scipy_and_scikit_learn(distributions):
    prediction, target = distributions
    grades = np.arange(5)
    pairs = list(zip(prediction, target, strict=True))
    expected = {
        "emd": [wasserstein_distance(grades, grades, p, q) for p, q in pairs],
        "kl": [entropy((40 * q + 0.5) / 42.5, p) for p, q in pairs],
        "js": [jensenshannon(p, q) ** 2 for p, q in pairs],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(per_clip(name, prediction, target), values, atol=1e-10)
    means = evaluate(prediction, target)
    assert means["mse"] == pytest.approx(mean_squared_error(target, prediction))
    assert means["mae"] == pytest.approx(mean_absolute_error(expected_grade(target), expected_grade(prediction)))


def test_worked_by_hand():
    prediction, target = [[0.5, 0.5, 0.0]], [[0.25, 0.25, 0.5]]
    # cumulatives 0.5, 1 and 0.25, 0.5
    assert per_clip("mse", prediction, target) == pytest.approx([(0.0625 + 0.0625 + 0.25) / 3])
    assert per_clip("emd", prediction, target) == pytest.approx([0.75])
    assert per_clip("rps", prediction, target) == pytest.approx([0.25**2 + 0.5**2])
    assert per_clip("mae", prediction, target) == pytest.approx([2.25 - 1.5])
    # 4 votes, 1 1 2, become 1.5 1.5 2.5 of 5.5
    half_kl = 1.5 / 5.5 * np.log(1.5 / 5.5 / 0.4)
    kl = per_clip("kl", [[0.4, 0.4, 0.2]], target, raters=4)
    assert kl == pytest.approx([2 * half_kl + 2.5 / 5.5 * np.log(2.5 / 5.5 / 0.2)])


def test_spearman_is_scipys():
    rng = np.random.default_rng(0)
    for _ in range(20):
        prediction, target = rng.dirichlet(np.ones(5), 30), rng.multinomial(4, np.full(5, 0.2), 30) / 4  # with ties
        expected = spearmanr(expected_grade(prediction), expected_grade(target)).statistic
        assert METRICS["spearman"].of_all(prediction, target) == pytest.approx(expected, abs=1e-14)


def test_spearman_by_hand_with_ties():
    grade = {1: [1, 0, 0], 2: [0, 1, 0], 3: [0, 0, 1]}
    prediction, target = [grade[g] for g in (1, 2, 2, 3)], [grade[g] for g in (1, 2, 3, 3)]
    # ranks 1 2.5 2.5 4 and 1 2 3.5 3.5: correlation 3.75 / sqrt(4.5 * 4.5)
    assert METRICS["spearman"].of_all(prediction, target) == pytest.approx(3.75 / 4.5)
    assert np.isnan(METRICS["spearman"].of_all([grade[1]] * 4, target))


@pytest.mark.parametrize(
    ("prediction", "target", "agreement"),
    [
        ([0.6, 0.3, 0.1], [0.5, 0.3, 0.2], 1),
        ([0.3, 0.6, 0.1], [0.5, 0.3, 0.2], 0),
        ([0.3, 0.6, 0.1], [0.4, 0.4, 0.2], 1),
        ([0.4, 0.4, 0.2], [0.5, 0.3, 0.2], 0.5),
        ([0.4, 0.4, 0.2], [0.45, 0.45, 0.1], 1),
    ],
)
def test_top_grade_agreement_with_ties(prediction, target, agreement):
    assert per_clip("top", [prediction], [target]) == pytest.approx([agreement])


def test_perfect_predictions_have_the_best_value(distributions):
    _, target = distributions
    values = evaluate(target, target)
    smoothed = (40 * target + 0.5) / 42.5  # what kl compares with
    values["kl"] = METRICS["kl"].of_all(smoothed, target)
    for name, metric in METRICS.items():
        assert values[name] == pytest.approx({"lower": 0, "higher": 1}[metric.better], abs=1e-9)
    worse = evaluate(target[::-1], target)
    assert all((worse[n] < values[n]) == (m.better == "higher") for n, m in METRICS.items())


def test_a_certain_and_wrong_prediction_keeps_kl_finite():
    assert np.isfinite(per_clip("kl", [[1.0, 0.0]], [[0.0, 1.0]])).all()


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        ([[0.5, 0.5], [0.6, 0.6]], "prediction of row 1"),
        ([[0.5, 0.5], [1.5, -0.5]], "prediction of row 1"),
        ([[np.nan, 0.5], [0.5, 0.5]], "prediction of row 0"),
        ([[0.5, 0.5]], "one shape"),
    ],
)
def test_what_is_no_distribution_is_refused(prediction, message):
    with pytest.raises(ValueError, match=message):
        evaluate(prediction, [[0.5, 0.5], [0.5, 0.5]])


def test_the_noise_ceiling_is_the_error_of_a_perfect_model():
    rng = np.random.default_rng(0)
    truth = np.array([0.4, 0.3, 0.2, 0.1, 0.0])
    target = rng.multinomial(8, truth, size=20_000) / 8
    error = per_clip("mse", np.tile(truth, (len(target), 1)), target)
    ceiling = noise_ceiling(target, 8)
    assert ceiling[0] == pytest.approx((1 - (target[0] ** 2).sum()) / 35)
    assert ceiling.mean() == pytest.approx(error.mean(), rel=0.02)
    # dividing by R in place of R - 1 would be an eighth too low
    assert noise_ceiling([[1.0, 0.0]], 40) == pytest.approx([0])
    with pytest.raises(ValueError, match="2 raters"):
        noise_ceiling(target, 1)


def test_halves_of_a_panel_share_no_vote():
    rng = np.random.default_rng(0)
    votes = rng.multinomial(40, [0.3, 0.3, 0.2, 0.15, 0.05], size=2000)
    first, second = split_half(votes, rng)
    np.testing.assert_allclose(first * 20 + second * 20, votes)
    # each half is its share of 20 independent votes: their squared difference is 2 (1 - sum p^2) / (K 20)
    expected = 2 * (1 - (0.3**2 + 0.3**2 + 0.2**2 + 0.15**2 + 0.05**2)) / (5 * 20)
    assert per_clip("mse", first, second).mean() == pytest.approx(expected, rel=0.05)
    odd_first, odd_second = split_half([[3, 2]], rng)
    assert (odd_first * 2 + odd_second * 2).sum() == pytest.approx(4)
    with pytest.raises(ValueError, match="row 1"):
        split_half([[1, 1], [1, 0]], rng)
    with pytest.raises(ValueError, match="whole"):
        split_half([[0.5, 0.5]], rng)
