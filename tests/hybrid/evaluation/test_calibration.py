"""Whether the tests keep their promises, on few simulated experiments; tools/calibrate_statistics.py has many."""

import numpy as np
import pytest

from hybrid.evaluation.calibration import Trial, calibrate, monte_carlo_error, simulate

TRIALS = 150


@pytest.fixture(scope="module")
def equal():
    return calibrate("equal", TRIALS, repeats=(1, 3)).set_index("repeats")


def test_no_difference_between_equal_models_is_found_where_the_plain_t_finds_many(equal):
    assert (equal["rejects"] <= 0.05 + 3 * monte_carlo_error(0.05, TRIALS)).all()
    assert equal.loc[3, "plain_rejects"] > 0.05 + 3 * monte_carlo_error(0.05, TRIALS)
    assert (equal["covers"] == 1 - equal["rejects"]).all(), "the interval and the test are one"


def test_runs_of_one_experiment_are_correlated_as_the_correction_takes_them_to_be(equal):
    # (repeats of the same clips more than folds of one repeat)
    assert 0.1 < equal.loc[3, "correlation"] < 0.3


def test_the_interval_holds_a_true_difference():
    (row,) = calibrate("unequal", TRIALS, repeats=(3,)).to_dict("records")
    assert row["covers"] >= 0.95 - 3 * monte_carlo_error(0.95, TRIALS)
    assert np.isnan(row["rejects"])


def test_a_trial_tests_each_clip_once_a_repeat_and_splits_no_group():
    trial = simulate("seeds", np.random.default_rng(0), groups=10, repeats=2)
    assert isinstance(trial, Trial)
    assert trial.difference_RF.shape == trial.truth_RF.shape == (2, 5)
    assert np.isfinite(trial.clip_RN).all() and trial.clip_RN.shape == (2, 50)
    # equal folds: the mean over clips is the mean over runs
    np.testing.assert_allclose(trial.clip_RN.mean(1), trial.difference_RF.mean(1))


def test_another_pair_is_refused():
    with pytest.raises(ValueError, match="pair must be one of"):
        calibrate("same", 2)
