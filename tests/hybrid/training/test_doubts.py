"""What makes a model's answers mean less is told wherever they are asked for."""

import shutil

import pytest
from finished_runs import SPEC, write_runs

from hybrid.data.dataset import load_dataset
from hybrid.data.graded_by_motion import mark_graded_by_motion
from hybrid.files import read_json, read_yaml, write_json, write_yaml
from hybrid.training.doubts import doubts


@pytest.fixture
def run(tmp_path, small_dataset):
    return write_runs(tmp_path / "runs" / "mine", load_dataset(small_dataset, SPEC)).run("hybrid", 0, 0)


def test_of_a_model_that_is_better_than_the_mean_nothing_is_told(run, tmp_path):
    assert doubts([run.model]) == []
    assert doubts([tmp_path / "alone.ckpt"]) == []


def test_a_model_that_errs_as_the_mean_does_tells_nothing(run):
    for tested in run.experiment.done_runs():
        if tested.arm == "hybrid":
            result = read_json(tested.result)
            write_json(tested.result, result | {"mean_predictor_mse": 0.9 * result["metrics"]["mse"]})
    (told,) = doubts([run.model])
    assert "errs no less than the same answer to every clip" in told


def test_nothing_that_is_wrong_beside_a_model_keeps_it_from_answering(run, tmp_path):
    moved = shutil.copytree(run.path, tmp_path / "grader") / "model.ckpt"  # another name than its result says
    assert doubts([moved]) == []
    for name in ("result.json", "config.yaml"):
        for content in (b"", b"\xff", b"[]", b"model: 5", b'{"metrics": {"mse": null}}'):
            (moved.parent / name).write_bytes(content)
            assert doubts([moved]) == []


def test_of_a_model_trained_on_all_clips_the_others_of_its_arm_tell(run):
    for tested in run.experiment.done_runs():
        write_json(tested.result, read_json(tested.result) | {"mean_predictor_mse": 1e-6})
    on_all = shutil.copytree(run.path, run.path.with_name("repeat0-all"))
    write_json(on_all / "result.json", {"fold": "none"})
    assert "errs no less" in doubts([on_all / "model.ckpt"])[0]


def test_a_protocol_that_only_tries_out_is_named(run):
    config = read_yaml(run.config)
    write_yaml(run.config, config | {"protocol": config["protocol"] | {"name": "smoke", "epochs": 2}})
    assert doubts([run.model]) == [
        "The protocol smoke is too short to learn from: no answer of this model means anything"
    ]


def test_where_the_grades_came_from_is_told(run, tmp_path, small_dataset):
    root = shutil.copytree(small_dataset, tmp_path / "moving")
    mark_graded_by_motion(root)
    config = read_yaml(run.config)
    write_yaml(run.config, config | {"data": config["data"] | {"root": str(root)}})
    assert doubts([run.model]) == ["the model learned grades that follow from motion alone, which no panel has given"]
    table = (root / "labels.csv").read_text()
    (root / "labels.csv").write_bytes(table.replace("\n", "\r\n").encode())  # saved by a spreadsheet
    assert len(doubts([run.model])) == 1
    (root / "labels.csv").write_text(table.replace("36", "35"))  # votes of a panel now
    assert doubts([run.model]) == []
    write_yaml(run.config, config | {"data": config["data"] | {"simulate": {"preset": "clinic"}}})
    assert "simulated clips" in doubts([run.model])[0]
