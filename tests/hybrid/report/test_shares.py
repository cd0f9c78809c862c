"""Error against share: arms that differ in their share alone make a line, and starts are compared share by share."""

import numpy as np
import pandas as pd
import pytest
from experiments import write_experiment

from hybrid.evaluation.results import load_experiment
from hybrid.files import read_json, write_json, write_yaml
from hybrid.folders import ExperimentFolder
from hybrid.report.data import ReportData
from hybrid.report.shares import FRESH, lines_of, shares

ARMS = {"hybrid": 0.30, "share-0.25": 0.50, "pretrained": 0.28, "share-0.25+pretrained": 0.35, "loss-kl": 0.32}
CHECKPOINT = "runs/pretraining-tiny-physics/hybrid/pretrained.ckpt"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> ExperimentFolder:
    folder = write_experiment(tmp_path_factory.mktemp("shares") / "e", ARMS)
    for run in folder.done_runs():
        result, share = read_json(run.result), 0.25 if "0.25" in run.arm else 1.0
        result |= {"train_share": share, "mean_predictor_mse": 0.04 / share**0.1}
        write_json(run.result, result | {"train_clips": round(share * result["train_clips"])})
        settings = {"name": "hybrid", "pretrained": CHECKPOINT if "pretrained" in run.arm else "none"}
        recipe = {"loss": "kl" if "kl" in run.arm else "mse", "train_share": share}
        write_yaml(folder.model(run.arm), settings | {"recipe": recipe})
    return folder


def section_of(folder: ExperimentFolder):
    results, none = load_experiment(folder), pd.DataFrame()
    return shares(ReportData(results, none, results, none, {}, none, []))


def test_lines_differ_in_start_and_hold_every_share(folder):
    lines = lines_of(load_experiment(folder))
    assert [(line.model, line.start, sorted(line.runs)) for line in lines] == [
        ("hybrid", FRESH, [0.25, 1.0]),
        ("hybrid", "pretraining-tiny-physics", [0.25, 1.0]),
    ]
    arms = {run.arm for line in lines for runs in line.runs.values() for run in runs.values()}
    assert arms == set(ARMS) - {"loss-kl"}


def test_the_table_says_how_starts_differ_at_each_share(folder):
    section = section_of(folder)
    (picture,), frame = section.pictures, section.tables[0].frame
    assert frame["share"].tolist() == [0.25, 1.0, 0.25, 1.0] and (frame["runs"] == 5).all()
    of = {(run.arm, run.path.name): 100 * read_json(run.result)["metrics"]["mse"] for run in folder.done_runs()}
    for row, arm, other in zip(
        frame[frame["start"] != FRESH].itertuples(),
        ("share-0.25+pretrained", "pretrained"),
        ("share-0.25", "hybrid"),
        strict=True,
    ):
        differences = [of[arm, name] - of[other, name] for a, name in of if a == arm]
        assert row.difference == pytest.approx(np.mean(differences)) and row.low < row.difference < row.high
        assert row.mse_mean == pytest.approx(np.mean([value for (a, _), value in of.items() if a == arm]))
    assert frame[frame["start"] == FRESH]["difference"].isna().all()
    assert "25%" in picture.svg and "100%" in picture.svg
    assert (folder.report / "shares.png").stat().st_size > 0 and "mean predictor" in picture.svg


def test_one_share_alone_is_no_line(tmp_path):
    assert section_of(write_experiment(tmp_path / "e", {"hybrid": 0.3, "slowfast": 0.3})) is None
