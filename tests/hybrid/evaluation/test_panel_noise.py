import numpy as np
import pandas as pd
import pytest
from experiments import write_experiment

from hybrid.evaluation.panel import panel_noise
from hybrid.evaluation.results import load_experiment


def test_a_model_that_knows_the_panels_true_shares_has_no_excess(tmp_path):
    folder = write_experiment(tmp_path, {"perfect": 0.0, "poor": 0.5}, clips=2000, groups=None, spread=0.0, raters=12)
    table = panel_noise(load_experiment(folder), repetitions=500).set_index("arm")
    perfect, poor = table.loc["perfect"], table.loc["poor"]
    assert perfect["excess_low"] < 0 < perfect["excess_high"]
    assert perfect["excess"] == pytest.approx(0, abs=0.03 * perfect["ceiling"])
    assert poor["excess_low"] > 0 and poor["ceiling"] == pytest.approx(perfect["ceiling"])


def test_a_row_is_what_its_files_say(tmp_path):
    folder = write_experiment(tmp_path, {"one": 0.3}, raters=8, repeats=2)
    (row,) = panel_noise(load_experiment(folder), repetitions=100).to_dict("records")
    runs = pd.concat(pd.read_csv(run.predictions) for run in folder.done_runs())
    target_NK = runs.filter(like="target_").to_numpy()
    assert row["clips"] == 60 and row["groups"] == 20
    assert row["ceiling"] == pytest.approx(100 * np.mean((1 - (target_NK**2).sum(1)) / (5 * 7)))
    assert row["mse"] == pytest.approx(100 * ((runs.filter(like="predicted_").to_numpy() - target_NK) ** 2).mean())
    assert row["excess"] == pytest.approx(row["mse"] - row["ceiling"])


def test_votes_that_nobody_counted_give_no_ceiling(tmp_path):
    (row,) = panel_noise(load_experiment(write_experiment(tmp_path, {"one": 0.3}, raters=None))).to_dict("records")
    assert row["clips"] == 0 and np.isnan(row["ceiling"]) and np.isnan(row["excess"])


def test_runs_written_before_raters_were_are_read(tmp_path):
    folder = write_experiment(tmp_path, {"one": 0.3})
    for run in folder.done_runs():
        pd.read_csv(run.predictions).drop(columns="raters").to_csv(run.predictions, index=False)
    assert panel_noise(load_experiment(folder))["clips"].tolist() == [0]


def test_clips_of_a_single_vote_are_left_out(tmp_path):
    folder = write_experiment(tmp_path, {"one": 0.3}, folds=2)
    run = folder.run("one", 0, 0)
    table = pd.read_csv(run.predictions)
    table["raters"] = 1
    table.to_csv(run.predictions, index=False)
    assert panel_noise(load_experiment(folder), 100)["clips"].tolist() == [60 - len(table)]
