"""The figures of the results: what is in their tables."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hybrid.evaluation.panel import noise_ceiling
from hybrid.evaluation.results import load_experiment
from hybrid.files import read_json, write_json
from hybrid.report.data import report_data
from hybrid.report.results import measures_table


def test_results_are_those_of_the_runs(experiment, clips_of_mine):
    frame = report_data(load_experiment(experiment)).frame.set_index("arm")
    assert list(frame.index) == ["hybrid", "slowfast", "vgg16"]
    results = [r for r in experiment.results() if r["model"] == "slowfast"]
    a, b = (100 * r["metrics"]["mse"] for r in results)
    row = frame.loc["slowfast"]
    assert row["mse_mean"] == pytest.approx((a + b) / 2) and row["mse_sd"] == pytest.approx(abs(a - b) / 2**0.5)
    half = stats.t.ppf(0.975, 1) * row["mse_sd"] * (1 / 2 + 1) ** 0.5  # two folds: as many tested as trained on
    assert [row["mse_low"], row["mse_high"]] == pytest.approx([max(0, row["mse_mean"] - half), row["mse_mean"] + half])
    clip_mse = np.average([a, b], weights=[r["test_clips"] for r in results])
    assert row["excess"] == pytest.approx(clip_mse - 100 * noise_ceiling(clips_of_mine.targets_NK, 40).mean(), rel=1e-6)
    assert row["paper_mse_mean"] == 1.30 and pd.isna(frame.loc["hybrid", "paper_mse_mean"])
    assert row["wacv_mse"] == 1.346 and pd.isna(frame.loc["hybrid", "wacv_mse"])


def test_one_run_has_no_interval(experiment):
    experiment.run("vgg16", 0, 1).result.unlink()
    row = report_data(load_experiment(experiment)).frame.set_index("arm").loc["vgg16"]
    assert row["runs"] == 1 and pd.isna(row["mse_sd"]) and pd.isna(row["mse_low"])


def test_measures_are_means_over_runs(experiment):
    run = experiment.run("hybrid", 0, 0)
    result = read_json(run.result)
    other = read_json(experiment.run("hybrid", 0, 1).result)["metrics"]["emd"]
    result["metrics"]["emd"] = 3.0
    write_json(run.result, result)
    frame = measures_table(load_experiment(experiment)).frame.set_index("arm")
    assert frame.loc["hybrid", "emd"] == pytest.approx((3.0 + other) / 2)
