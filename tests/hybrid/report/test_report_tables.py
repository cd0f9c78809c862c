"""Tables: what is in them, and every form they are written in."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hybrid.display.tables import Column, Table, as_latex, as_markdown, as_terminal
from hybrid.evaluation.panel import noise_ceiling
from hybrid.evaluation.results import load_experiment
from hybrid.files import read_json, write_json
from hybrid.report.data import report_data
from hybrid.report.results import measures_table


@pytest.fixture
def small():
    frame = pd.DataFrame({"name": ["a_b", "c|d"], "value": [-1.5, None]})
    text = lambda row: "-" if pd.isna(row.value) else f"{row.value:.1f}"  # noqa: E731
    columns = (Column("name", lambda row: row.name, "name", figure=False), Column("MSE x10^-2", text, "value"))
    return Table("small", "50 % of it", frame, columns)


def test_latex_escapes_what_latex_would_read(small):
    text = as_latex(small, ("note & more",))
    assert r"a\_b & $-$1.5 \\" in text and r"\caption{50 \% of it}" in text
    assert r"name & MSE $\times10^{-2}$ \\" in text and r"note \& more" in text
    assert r"c|d & - \\" in text


def test_markdown_keeps_its_cells_apart(small):
    assert as_markdown(small).splitlines() == [
        "| name | MSE x10^-2 |",
        "| :-- | --: |",
        "| a_b | -1.5 |",
        r"| c\|d | - |",
    ]


def test_terminal_aligns_and_leaves_out(small):
    assert as_terminal(small).splitlines()[2] == "a_b         -1.5"
    assert "MSE" not in as_terminal(small, leave_out=("MSE x10^-2",))


def test_files_hold_full_figures_or_what_people_read(small, tmp_path):
    small.write(tmp_path, ("a note",))
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "small.csv"), small.frame)
    assert (tmp_path / "small.md").read_text().endswith("a note\n") and (tmp_path / "small.tex").exists()


def test_results_are_those_of_the_runs(experiment, clips_of_mine):
    frame = report_data(load_experiment(experiment)).frame.set_index("arm")
    assert list(frame.index) == ["hybrid", "slowfast", "vgg16"]
    results = [r for r in experiment.results() if r["model"] == "slowfast"]
    a, b = (100 * r["metrics"]["mse"] for r in results)
    row = frame.loc["slowfast"]
    assert row["mse_mean"] == pytest.approx((a + b) / 2) and row["mse_sd"] == pytest.approx(abs(a - b) / 2**0.5)
    half = stats.t.ppf(0.975, 1) * row["mse_sd"] * (1 / 2 + 1) ** 0.5  # two folds: as many tested as trained on
    assert [row["mse_low"], row["mse_high"]] == pytest.approx([row["mse_mean"] - half, row["mse_mean"] + half])
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
