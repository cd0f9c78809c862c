"""Ablations in the report: which arms stand where, and what is said of them."""

import shutil

import pandas as pd
import pytest
from finished_runs import write_runs

from hybrid.evaluation.ablation import Ablation, Arm, record_ablations
from hybrid.evaluation.results import load_experiment
from hybrid.files import read_json
from hybrid.folders import ExperimentFolder
from hybrid.report.benchmark import made_of, write_report
from hybrid.report.data import arms_beside

WINDOW = Ablation(
    "window", "How far a query sees.", Arm("hybrid", "global"), (Arm("window-3", "3"), Arm("window-5", "5"))
)
BOTH = Ablation(
    "both",
    "Both at once.",
    Arm("hybrid", "window global, order seconds"),
    (
        Arm("window-3", "window 3, order seconds"),
        Arm("no-order", "window global, order none"),
        Arm("window-3+no-order", "window 3, order none"),
    ),
    factors=("window", "order"),
)
MODELS = {"slowfast": 0.5, "hybrid": 0.2, "window-3": 0.4, "no-order": 0.3, "window-3+no-order": 0.6}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, clips_of_mine):
    folder = write_runs(tmp_path_factory.mktemp("runs") / "ablations", clips_of_mine, models=MODELS)
    record_ablations(folder, [WINDOW, BOTH])
    write_report(folder)
    return folder


def test_a_table_holds_differences_to_the_default_and_their_cost(folder):
    table = pd.read_csv(folder.report / "ablation-window.csv").set_index("arm")
    assert table["value"].tolist() == ["global (default)", "3", "5"]
    mse = {
        arm: [100 * folder.run(arm, 0, fold).read_result()["metrics"]["mse"] for fold in (0, 1)]
        for arm in ("hybrid", "window-3")
    }
    row = table.loc["window-3"]
    assert row["difference"] == pytest.approx(sum(mse["window-3"]) / 2 - sum(mse["hybrid"]) / 2)
    assert row["low"] < row["difference"] < row["high"] and row["gmac"] == pytest.approx(0.06)
    assert pd.isna(table.loc["hybrid", "difference"]) and table.loc["hybrid", "gmac"] == pytest.approx(0.04)
    assert table.loc["window-5"].drop("value").isna().all(), "an arm that is not done has its place"
    for name in ("window", "both"):
        for kind in ("csv", "md", "tex", "svg", "png"):
            assert (folder.report / f"ablation-{name}.{kind}").stat().st_size > 0


def test_a_factorial_says_what_lies_beyond_the_sum(folder):
    printed = write_report(folder)
    table = pd.read_csv(folder.report / "ablation-both.csv").set_index("arm")
    mse = {arm: read_json(folder.run(arm, 0, 0).result)["metrics"]["mse"] for arm in table.index}
    other = {arm: read_json(folder.run(arm, 0, 1).result)["metrics"]["mse"] for arm in table.index}
    beyond = [of["window-3+no-order"] - of["window-3"] - of["no-order"] + of["hybrid"] for of in (mse, other)]
    assert table["interaction"].notna().tolist() == [False, False, False, True]
    assert table.loc["window-3+no-order", "interaction"] == pytest.approx(100 * sum(beyond) / 2)
    assert "beyond the sum" in printed and "How far a query sees." in printed


def test_arms_of_ablations_stand_in_their_tables_alone(folder):
    assert arms_beside([WINDOW, BOTH], load_experiment(folder)) == ["hybrid", "slowfast"]
    assert set(pd.read_csv(folder.report / "table.csv")["arm"]) == {"hybrid", "slowfast"}
    contrasts = pd.read_csv(folder.report / "contrasts.csv")
    assert contrasts[["arm_a", "arm_b"]].values.tolist() == [["hybrid", "slowfast"]]
    assert set(pd.read_csv(folder.report / "runs.csv")["arm"]) == set(MODELS)


def test_arms_without_any_model_beside_them_stand_for_themselves(tmp_path, clips_of_mine):
    folder = write_runs(tmp_path / "runs" / "x", clips_of_mine, models={"window-3": 0.4})
    record_ablations(folder, [WINDOW])
    write_report(folder)
    assert pd.read_csv(folder.report / "table.csv")["arm"].tolist() == ["window-3"]
    assert not (folder.report / "ablation-window.csv").exists()


def test_the_page_has_a_section_of_them(folder):
    page = (folder.report / "index.html").read_text()
    assert 'href="#ablations"' in page and 'id="table-ablation-window"' in page and 'id="figure-ablation-both"' in page
    assert "Of 1 arm beside the default" in page and "1 cannot be compared yet" in page
    assert "Of 3 arms beside the default" in page


def test_a_report_is_old_when_an_ablation_is_asked_for(tmp_path):
    folder = ExperimentFolder(tmp_path)
    before = made_of(folder)
    record_ablations(folder, [WINDOW])
    assert made_of(folder) != before


def test_a_report_is_not_old_where_its_experiment_was_moved(folder, tmp_path):
    moved = shutil.copytree(folder.path, tmp_path / "elsewhere")
    assert made_of(ExperimentFolder(moved)) == made_of(folder)


def test_a_report_reads_the_predictions_of_each_run_once(folder, monkeypatch):
    read, original = [], pd.read_csv
    monkeypatch.setattr(pd, "read_csv", lambda path, **options: read.append(path) or original(path, **options))
    write_report(folder, anew=True)
    assert sorted(path for path in read if path.name == "predictions.csv") == sorted(
        run.predictions for run in folder.done_runs()
    )
