"""What the page tells beyond the tables: calibration, hard clips and their films, what is missing."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from finished_runs import write_runs

from hybrid.errors import UserError
from hybrid.evaluation.comparisons import REGISTERED
from hybrid.evaluation.results import load_experiment
from hybrid.files import read_json, read_yaml, write_json, write_text, write_yaml
from hybrid.folders import RESULT, ExperimentFolder
from hybrid.report.benchmark import write_report
from hybrid.report.clips import WORST, hard_clips
from hybrid.report.data import report_data
from hybrid.report.figures import read_curves
from hybrid.report.grades import calibration_error, grades_table, reliability
from hybrid.report.leaks import ungrouped_notes
from hybrid.report.provenance import missing_runs, provenance
from hybrid.report.results import _lead as lead_of


def test_reliability_of_a_case_by_hand():
    predicted, voted, size = reliability([[0.9, 0.1], [0.3, 0.7]], [[1.0, 0.0], [0.6, 0.4]], bins=2)
    assert predicted == pytest.approx([0.2, 0.8]) and voted == pytest.approx([0.3, 0.7])
    assert list(size) == [2, 2]
    assert calibration_error([[0.9, 0.1]], [[0.5, 0.5]]) == pytest.approx(0.4)


def test_calibration_error_is_zero_only_for_what_the_panel_says():
    dist = np.random.default_rng(0).dirichlet(np.ones(5), 200)
    assert calibration_error(dist, dist) == pytest.approx(0, abs=1e-12)
    assert calibration_error(np.full_like(dist, 0.2), dist) < 0.1 < calibration_error(dist[::-1], dist)


def test_grades_add_up(experiment):
    data = report_data(load_experiment(experiment))
    frame, predictions = grades_table(data).frame, data.results.predictions
    tested = predictions[predictions["arm"] == "vgg16"]
    row = frame.set_index("arm").loc["vgg16"]
    difference = tested["predicted_B"] - tested["target_B"]
    assert row["mse_B"] == pytest.approx(100 * (difference**2).mean())
    assert row["bias_B"] == pytest.approx(100 * difference.mean())
    assert row.filter(like="bias_").sum() == pytest.approx(0, abs=1e-3)


def test_the_worst_clips_are_the_ones_a_model_gets_most_wrong(experiment):
    run = experiment.run("slowfast", 0, 1)
    table = pd.read_csv(run.predictions, dtype={"clip": str})
    clip = table.loc[0, "clip"]
    wrong = table.filter(like="target_").iloc[0].to_numpy().argmin()
    table.loc[0, [f"predicted_{grade}" for grade in "ABCDE"]] = np.eye(5)[wrong]
    table.to_csv(run.predictions, index=False)
    result = run.result.read_text().replace('"mse": ', '"mse": 1e-9, "old": ', 1)
    predicted, target = (table.filter(like=kind).to_numpy() for kind in ("predicted_", "target_"))
    run.result.write_text(result.replace("1e-9", str(((predicted - target) ** 2).mean())))

    clips = hard_clips(report_data(load_experiment(experiment)))
    (found,) = [hard for hard in clips if hard.clip == clip]
    assert "slowfast" in found.worst_of and found.raters == 40
    answer = {answer.arm: answer for answer in found.answers}["slowfast"]
    assert answer.percent == pytest.approx(100 * np.eye(5)[wrong]) and answer.mse > 10
    for model in ("hybrid", "slowfast", "vgg16"):
        assert sum(model in hard.worst_of for hard in clips) == WORST
    assert len(found.answers) == 3


def test_frames_of_another_data_set_are_not_shown(experiment):
    settings = experiment.settings.read_text().replace("fingerprint: ", "fingerprint: x")
    experiment.settings.write_text(settings)
    results = load_experiment(experiment)
    assert results.dataset is None and "has changed since the runs" in results.missing
    assert all(clip.film is None for clip in hard_clips(report_data(results)))


def test_missing_runs_are_named_with_their_error(experiment):
    run = experiment.run("vgg16", 0, 1)
    read = [of.folder.label for of in load_experiment(experiment).runs if of.folder.label != run.label]
    assert missing_runs(experiment, read) == [("vgg16/repeat0-fold1", "2 of 2 epochs so far")], "done since then"
    run.result.unlink()
    assert missing_runs(experiment, read) == [("vgg16/repeat0-fold1", "2 of 2 epochs so far")]
    write_text(run.error, "Traceback\nRuntimeError: the lamp went out\n")
    assert missing_runs(experiment, read) == [("vgg16/repeat0-fold1", "RuntimeError: the lamp went out")]
    experiment.plan({"vgg16/repeat0-fold1", "x3d/repeat0-fold0"})  # of which nothing is there yet
    assert missing_runs(experiment, read)[1:] == [("x3d/repeat0-fold0", "not done")]


def test_clips_without_groups_are_told_of(experiment):
    results = load_experiment(experiment)
    assert ungrouped_notes(results) == []
    (note,) = ungrouped_notes(replace(results, groups={clip: clip for clip in results.groups}))
    assert "some of one patient, donor or video may be in training and others in test" in note


def test_the_page_says_what_the_runs_were_computed_on_and_in(experiment):
    run = experiment.run("vgg16", 0, 1)
    result = read_json(run.result)
    result["machine"] = {"device": "cpu", "processor": "Z80", "precision": "32-true", "layout": "channels last"}
    result["machine"] |= {"threads": 3, "platform": "CP/M"}
    write_json(run.result, result)
    facts = dict(provenance(report_data(load_experiment(experiment))).text["facts"])
    assert "device cpu · processor Z80 · platform CP/M" in facts["machine"].split("; ")
    assert facts["computed in"].split("; ") == [
        "precision 32-true",
        "precision 32-true · layout channels last · threads 3",
    ]
    assert facts["versions"] == "torch 2.15.0"


def test_nothing_done_is_an_error_of_the_user(tmp_path):
    with pytest.raises(UserError, match="no run of it is done"):
        load_experiment(ExperimentFolder(tmp_path / "runs" / "none"))


@pytest.mark.parametrize("key", RESULT)
def test_a_result_without_a_value_that_reports_need_is_named(key, experiment):
    run = experiment.run("vgg16", 0, 1)
    result = inside = read_json(run.result) | {"arm": "vgg16"}
    *rooms, last = key.split(".")
    for room in rooms:
        inside = inside[room]
    inside[last] = None
    write_json(run.result, result)
    with pytest.raises(UserError, match=f"result.json: was damaged, {key} is (not there|nan)"):
        load_experiment(experiment)


@pytest.mark.parametrize(
    "key, value",
    [
        ("metrics.emd", "0.3"),
        ("metrics", [0.1]),
        ("gmac", None),
        ("repeat", False),
        ("test_clips_seen", [1]),
        ("commit", 7),
        ("train_share", "half"),
        ("pretrained", None),
        ("best_epoch", 3),
        ("versions", "2.15.0"),
    ],
)
def test_a_result_with_a_value_of_another_kind_is_named(key, value, experiment):
    run = experiment.run("vgg16", 0, 1)
    room, _, last = key.rpartition(".")
    result = read_json(run.result)
    (result[room] if room else result)[last] = value
    write_json(run.result, result)
    with pytest.raises(UserError, match=f"result.json: was damaged, {key} is "):
        load_experiment(experiment)


def test_a_result_of_a_model_that_is_not_known_is_named(experiment):
    run = experiment.run("vgg16", 0, 1)
    write_json(run.result, read_json(run.result) | {"model": "foo"})
    with pytest.raises(UserError, match="result.json: no model is named 'foo'; there are: vgg16"):
        load_experiment(experiment)


@pytest.mark.parametrize(
    "name, content, told",
    [
        ("result.json", "", "result.json: was damaged, it is no JSON"),
        ("result.json", "[]", "result.json: was damaged"),
        ("result.json", "{}", "result.json: was damaged, model is not there"),
        ("config.yaml", "", "config.yaml: was damaged, it holds no settings"),
        ("config.yaml", "a: b: c", "config.yaml: was damaged, it is no YAML"),
        ("metrics.csv", "epoch,train/mse\n0,x\n", "metrics.csv: was damaged, it is no table of numbers"),
        ("metrics.csv", "epoc,train/mse\n0,1\n", "metrics.csv: was damaged, it has no column epoch"),
        ("../../folds.csv", "clip,repeat0\n0.mkv,0\n", "folds.csv: has no row of"),
        ("../../experiment.yaml", "", "experiment.yaml: was damaged, it holds no settings"),
    ],
)
def test_a_damaged_file_of_a_run_is_named(experiment, name, content, told):
    write_text(experiment.run("hybrid", 0, 0).path / name, content)
    with pytest.raises(UserError, match=told):
        write_report(experiment)


def test_folds_that_were_changed_since_are_named(experiment):
    folds = pd.read_csv(experiment.folds)
    folds["repeat0"] = 1 - folds["repeat0"]
    folds.to_csv(experiment.folds, index=False)
    with pytest.raises(UserError, match="folds.csv: was changed; hybrid/repeat0-fold0 was tested on other clips"):
        write_report(experiment)


def test_an_experiment_without_a_finished_run_shows_its_learning_so_far(experiment):
    for run in experiment.done_runs():
        run.result.unlink()
    printed = write_report(experiment)
    page = (experiment.report / "index.html").read_text(encoding="utf-8")
    assert "no run is done yet" in printed and "Incomplete:" in page and "2 of 2 epochs so far" in page
    assert "Learning curves" in page and (experiment.report / "curves.svg").exists()


def test_runs_under_way_are_among_the_learning_curves_and_marked(experiment):
    for fold in (0, 1):
        experiment.run("vgg16", 0, fold).result.unlink()
    write_report(experiment)
    page = (experiment.report / "index.html").read_text(encoding="utf-8")
    assert "vgg16/repeat0-fold1</code>: 2 of 2 epochs so far" in page
    assert [curves.title for curves in read_curves(experiment, ["vgg16"])] == ["VGG16"]
    assert "MSE by epoch for 3 models" in page


@pytest.mark.parametrize(
    "name, epochs, start, short",
    [
        ("quick", 4, "none", True),
        ("smoke", 2, "none", True),
        ("quick", 40, "none", False),
        ("tiny", 2, "none", False),
        ("quick", 4, "simulated", False),
        ("smoke", 2, "simulated", True),
    ],
)
def test_a_protocol_that_is_too_short_to_rank_says_so_on_the_page(name, epochs, start, short, experiment):
    for run in experiment.done_runs():
        write_json(run.result, read_json(run.result) | {"pretrained": start})
        settings = read_yaml(run.config)
        settings["protocol"] |= {"name": name, "epochs": epochs}
        write_yaml(run.config, settings)
    write_report(experiment)
    assert ("Too short to rank models." in (experiment.report / "index.html").read_text(encoding="utf-8")) is short


def test_no_interval_of_an_error_reaches_below_zero(experiment):
    frame = report_data(load_experiment(experiment)).frame.set_index("arm")
    assert frame.loc["vgg16", "mse_low"] == 0 and frame.loc["hybrid", "mse_low"] > 0


def test_a_bound_that_a_model_stays_below_is_commented(tmp_path, clips_of_mine):
    perfect = write_runs(tmp_path / "runs" / "perfect", clips_of_mine, models={"hybrid": 0.0, "vgg16": 0.3})
    assert "Hybrid (ours) errs less than that, which no model could" in write_report(perfect)
    usual = write_runs(tmp_path / "runs" / "usual", clips_of_mine)
    assert "errs less than that" not in write_report(usual)


def test_the_lead_says_what_of_it_is_shown():
    pairs = pd.DataFrame(
        [
            ("hybrid", "slowfast", REGISTERED, 0.04),
            ("hybrid", "timesformer", REGISTERED, 0.2),
            ("hybrid", "vit", "", 0.0),
        ],
        columns=["arm_a", "arm_b", "kind", "p_holm"],
    )
    arms = ["hybrid", "slowfast", "timesformer", "vit"]
    frame = pd.DataFrame({"arm": arms, "title": [arm.upper() for arm in arms], "mse_mean": [1.0, 2.0, 3.0, 4.0]})
    data = SimpleNamespace(frame=frame, pairs=pairs, references={"mean predictor": 3.5})
    lead = lead_of(data)
    assert "3 of 4 models do better" in lead
    assert "Its lead over SLOWFAST (p 0.040) is shown; its lead over TIMESFORMER (p 0.200) is not shown" in lead
    data.frame = frame.assign(mse_mean=[2.0, 3.0, 4.0, 1.0]).sort_values("mse_mean", ignore_index=True)
    assert "Whether its lead is more than chance was not asked beforehand" in lead_of(data)
