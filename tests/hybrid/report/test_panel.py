"""The panel's halves in the report: of raters, of votes, or none."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from hybrid.data.ratings import Ratings
from hybrid.evaluation.results import load_experiment
from hybrid.report.benchmark import write_report
from hybrid.report.panel import panel_of


def test_counted_votes_are_halved_where_nobody_knows_whose_they_are(experiment):
    panel = panel_of(load_experiment(experiment))
    assert (panel.halves, panel.clips) == ("votes", 12)
    assert panel.measures["top"] == 1, "of 40 votes 36 are for one grade"
    printed = write_report(experiment)
    assert "one half of the panel's votes agrees with the other on 100 % of the clips" in printed
    table = pd.read_csv(experiment.report / "panel.csv").set_index("measure")
    measures = pd.read_csv(experiment.report / "measures.csv")
    assert table.loc["top", "halves"] == 1 and table.loc["top", "best"] == pytest.approx(measures["top"].iloc[0])
    assert "One half of the panel against the other" in (experiment.report / "index.html").read_text()


def test_raters_are_halved_where_they_are_known(experiment):
    results = load_experiment(experiment)
    ratings_NR = np.zeros((12, 4), np.int16)
    ratings_NR[:, 2:] = 1  # a clip's top grade depends on who is asked
    dataset = dataclasses.replace(results.dataset, ratings=Ratings(tuple("abcd"), ratings_NR))
    panel = panel_of(dataclasses.replace(results, dataset=dataset))
    assert panel.halves == "raters"
    assert panel.measures["top"] == pytest.approx(2 / 3, abs=0.15), "in one split of three the halves disagree"


def test_fractions_of_nobody_knows_how_many_have_no_halves(experiment):
    for run in experiment.done_runs():
        pd.read_csv(run.predictions).drop(columns="raters").to_csv(run.predictions, index=False)
    assert panel_of(load_experiment(experiment)) is None
    assert "half of the panel" not in write_report(experiment)
