"""Errors of the best epoch stand by themselves, marked as optimistic, and nothing else changes for them."""

import pandas as pd
import pytest
from finished_runs import write_runs

from hybrid.evaluation.results import load_experiment
from hybrid.evaluation.statistics import corrected_resampled_t
from hybrid.files import read_json, write_json
from hybrid.report.benchmark import write_report
from hybrid.report.best_epoch import best_epoch_frame, optimism_of_all

BETTER = {"hybrid": (1, 2), "slowfast": (2, 4), "vgg16": (6, 0)}
"""by arm and fold"""


@pytest.fixture
def told(experiment):
    """The same runs, each with a best epoch that is better than its last, by as many times 10^-4."""
    for run in experiment.done_runs():
        result = read_json(run.result)
        better = 1e-4 * BETTER[result["model"]][result["fold"]]
        write_json(run.result, result | {"best_epoch": {"epoch": 0, "mse": result["metrics"]["mse"] - better}})
    return experiment


def test_the_difference_is_that_of_last_and_best_with_the_corrected_interval(told):
    results = load_experiment(told)
    frame = best_epoch_frame(results).set_index("arm")
    assert list(frame["last_mean"]) == sorted(frame["last_mean"]) and set(frame.index) == set(results.by_arm)
    for arm, row in frame.iterrows():
        test = corrected_resampled_t([0.01 * better for better in BETTER[arm]], 1.0, least=0)
        assert row["optimism"] == pytest.approx(row["last_mean"] - row["best_mean"]) == pytest.approx(test.mean)
        assert row["optimism_low"] == pytest.approx(test.low) and row["optimism_high"] == pytest.approx(test.high)


def test_of_all_models_together_it_is_the_mean_over_them_fold_by_fold(told):
    test, of_all = corrected_resampled_t([0.03, 0.02], 1.0, least=0), optimism_of_all(load_experiment(told))
    assert (of_all.mean, of_all.low, of_all.high) == pytest.approx((test.mean, test.low, test.high))
    assert f"takes 0.025 x10^-2 off the error in the mean over models, 95 % interval {test.low:.3f}" in write_report(
        told
    )
    told.run("vgg16", 0, 1).result.unlink()
    assert optimism_of_all(load_experiment(told)) is None, "one fold alone has runs of all"
    assert "off the error in the mean over models; by model" in write_report(told, anew=True)


def test_where_the_last_epoch_is_the_best_the_difference_is_nothing(told):
    for run in told.done_runs():
        result = read_json(run.result)
        result["best_epoch"]["mse"] = result["metrics"]["mse"] + 1e-9  # the same error, added up in another order
        write_json(run.result, result)
    frame = best_epoch_frame(load_experiment(told))
    assert (frame[["optimism", "optimism_low", "optimism_high"]] == 0).all(axis=None)


def test_it_is_marked_wherever_it_stands_and_used_nowhere_else(experiment, told, tmp_path, clips_of_mine):
    printed = write_report(told)
    page = (told.report / "index.html").read_text(encoding="utf-8")
    files = [(told.report / f"best_epoch.{form}").read_text(encoding="utf-8") for form in ("md", "tex")]
    for text in (printed, page, *files):
        assert "best epoch, optimistic (sd)" in text and "no contrast and no choice here uses it" in text
    assert "1.104" not in printed and "1.346" in page

    without = write_runs(tmp_path / "runs" / "without", clips_of_mine)
    write_report(without)
    assert "optimistic (sd)" not in (without.report / "index.html").read_text(encoding="utf-8")
    assert not (without.report / "best_epoch.csv").exists()
    for table in ("table", "measures", "contrasts", "grades"):
        one, other = (pd.read_csv(folder.report / f"{table}.csv") for folder in (told, without))
        pd.testing.assert_frame_equal(one, other)
