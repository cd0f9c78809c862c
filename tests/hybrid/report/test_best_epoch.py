"""Errors of the best epoch stand by themselves, marked as optimistic, and nothing else changes for them."""

import pandas as pd
import pytest
from finished_runs import write_runs

from hybrid.evaluation.results import load_experiment
from hybrid.evaluation.statistics import corrected_resampled_t
from hybrid.files import read_json, write_json
from hybrid.report.benchmark import write_report
from hybrid.report.best_epoch import best_epoch_frame


@pytest.fixture
def told(experiment):
    """The same runs, each with a best epoch that is 1 or 2 x 10^-4 better than its last."""
    for run in experiment.done_runs():
        result = read_json(run.result)
        better = {0: 1e-4, 1: 2e-4}[result["fold"]]
        write_json(run.result, result | {"best_epoch": {"epoch": 0, "mse": result["metrics"]["mse"] - better}})
    return experiment


def test_the_difference_is_that_of_last_and_best_with_the_corrected_interval(told):
    results = load_experiment(told)
    frame = best_epoch_frame(results).set_index("arm")
    assert list(frame["last_mean"]) == sorted(frame["last_mean"]) and set(frame.index) == set(results.by_arm)
    test = corrected_resampled_t([0.01, 0.02], 1.0)
    for _, row in frame.iterrows():
        assert row["optimism"] == pytest.approx(row["last_mean"] - row["best_mean"]) == pytest.approx(0.015)
        assert row["optimism_low"] == pytest.approx(test.low) and row["optimism_high"] == pytest.approx(test.high)


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


def test_groups_that_folds_split_are_told_of(experiment):
    assert "are split between training and test" not in write_report(experiment)
    table = pd.read_csv(experiment.folds, dtype=str)
    table["group"] = "one donor"
    table.to_csv(experiment.folds, index=False)
    assert "Not a fair test: 1 groups" in write_report(experiment, anew=True)
    assert "Not a fair test: 1 groups" in (experiment.report / "index.html").read_text(encoding="utf-8")
