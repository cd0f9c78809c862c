"""A benchmark from its command line's words to its report, with the runs launched by Hydra in this process."""

import pandas as pd
import pytest
import torch
from filelock import FileLock
from support import ROOT, quick_overrides

from hybrid.config import register_schemas
from hybrid.errors import UserError
from hybrid.evaluation.results import load_experiment
from hybrid.experiment.benchmark import check_all, run_benchmark
from hybrid.experiment.hydra_jobs import asked_runs, composed, multirun
from hybrid.files import read_json
from hybrid.folders import ExperimentFolder
from hybrid.report.benchmark import write_report
from hybrid.training.build import build_model
from hybrid.training.checkpoint import load_trained

MODELS = "model=slowfast,hybrid"


@pytest.fixture
def run(tmp_path, small_dataset):
    register_schemas()
    fixed = [*quick_overrides(small_dataset, tmp_path), "protocol.epochs=1", "hydra/launcher=basic"]

    def start(*overrides: str) -> int:
        return run_benchmark(ROOT / "configs", "benchmark", [*fixed, *overrides], write_report)

    return start


@pytest.fixture
def folder(tmp_path):
    return ExperimentFolder(tmp_path / "runs" / "smoke-clips_of_mine")


def test_every_run_is_done_reported_and_then_left_alone(run, folder, capsys):
    assert run(MODELS) == 0
    assert len(folder.done_runs()) == 4
    table = pd.read_csv(folder.report / "table.csv")
    assert set(table["model"]) == {"slowfast", "hybrid"} and (table["runs"] == 2).all()
    for _, row in table.iterrows():
        values = [100 * r["metrics"]["mse"] for r in folder.results() if r["model"] == row["model"]]
        assert row["mse_mean"] == pytest.approx(sum(values) / 2)
        assert row["mse_sd"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    printed = capsys.readouterr().out
    assert "another data set" in printed and "1.30 (0.14)" in printed
    for name in ("table.md", "mse.png", "mse.svg"):
        assert (folder.report / name).stat().st_size > 0

    before = {run.result: run.result.stat().st_mtime_ns for run in folder.done_runs()}
    assert run(MODELS) == 0
    assert before == {run.result: run.result.stat().st_mtime_ns for run in folder.done_runs()}


def test_a_share_that_leaves_no_clips_is_refused_once_and_before_anything_trains(run, folder):
    with pytest.raises(UserError, match=r"^model.recipe.train_share=0.2 of 6 training clips leaves 1; 2 or more"):
        run(MODELS, "model.recipe.train_share=0.2")
    assert not folder.path.exists()


def test_more_folds_than_groups_are_refused_before_clips_are_decoded(run, folder, monkeypatch):
    monkeypatch.setattr("hybrid.experiment.prepare.load_dataset", None)
    with pytest.raises(UserError, match="5 folds need as many groups, there are 4: give protocol.num_folds=4"):
        run("model=vgg16", "protocol.num_folds=5")
    assert not folder.path.exists()


def test_a_data_set_is_found_from_another_folder_and_may_move(run, folder, small_dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(small_dataset.parent)
    assert run("model=vgg16", "fold=0", f"data.root={small_dataset.name}") == 0
    (tmp_path / "moved").mkdir()
    monkeypatch.chdir(tmp_path / "moved")
    assert load_experiment(folder).dataset is not None
    (tmp_path / "moved" / small_dataset.name).symlink_to(small_dataset)
    assert run("model=vgg16", f"data.root={small_dataset.name}") == 0
    assert len(folder.done_runs()) == 2


def test_a_launcher_that_stops_is_told_in_a_line_and_what_was_done_reported(run, folder, capsys, monkeypatch):
    def stopped(*words):
        multirun(*words[:2], [*words[2], "fold=0"], words[3])
        raise ConnectionError("the cluster is gone")

    monkeypatch.setattr("hybrid.experiment.benchmark.multirun", stopped)
    assert run("model=vgg16") == 1
    said = capsys.readouterr()
    assert "error: the launcher stopped: ConnectionError: the cluster is gone" in said.err
    assert "failed: vgg16/repeat0-fold1: did not finish" in said.err and "Traceback" not in said.err
    assert "VGG16" in said.out and len(folder.done_runs()) == 1


def test_two_arms_of_one_model_are_trained_on_the_same_folds_and_told_apart(run, folder):
    assert run("model=slowfast") == 0
    assert run("model=slowfast", "arm=few_frames", "+model.options.alpha=8") == 0
    assert [result["arm"] for result in folder.results()] == ["few_frames"] * 2 + ["slowfast"] * 2
    assert {result["model"] for result in folder.results()} == {"slowfast"}
    for fold in (0, 1):
        tested = [pd.read_csv(folder.run(arm, 0, fold).predictions)["clip"] for arm in ("slowfast", "few_frames")]
        assert tested[0].equals(tested[1])
    table = pd.read_csv(folder.report / "table.csv").set_index("arm")
    assert table.loc["slowfast", "title"] == "SlowFast" and table.loc["few_frames", "title"] == "few_frames"
    assert table.loc["few_frames", "gmac"] != table.loc["slowfast", "gmac"]
    with pytest.raises(UserError, match="options.alpha: nothing there, 2 asked for"):
        run("model=slowfast", "+model.options.alpha=2")
    with pytest.raises(UserError, match="alpha must be 2, 4 or 8, not 3"):  # which is more than another value
        run("model=slowfast", "+model.options.alpha=3")


def test_an_arm_of_fewer_frames_is_told_how_far_apart_they_are(run, folder):
    assert run("model=hybrid", "arm=half", "model.num_frames=8", "model.frame_rate=8", "fold=0") == 0
    (config,) = asked_runs(ROOT / "configs", "benchmark", ["model=hybrid", "model.frame_rate=8", "fold=0"])
    assert build_model(config, 5).frame_rate == 8
    trained = load_trained(folder.run("half", 0, 0).model)
    assert trained.spec.num_frames == 8 and trained.spec.frame_rate == trained.model.frame_rate == 8
    assert (folder.report / "index.html").exists()


def test_predictions_cover_each_clip_once_and_are_distributions(run, folder):
    assert run("model=slowfast") == 0
    predictions = pd.concat(pd.read_csv(run.predictions) for run in folder.done_runs())
    assert sorted(predictions["clip"]) == sorted(f"{n}.mkv" for n in range(12))
    assert predictions.filter(like="predicted_").sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    assert predictions.filter(like="target_").shape == (12, 5)
    assert (predictions["raters"] == 40).all()


def test_a_failing_run_stops_no_other_and_is_reported(run, folder, monkeypatch, capsys):
    from hybrid.training import run as training

    original = training._train

    def fails_once(config, *rest):
        if config.fold == 0 and config.model.name == "slowfast":
            raise RuntimeError("the lamp went out")
        return original(config, *rest)

    monkeypatch.setattr(training, "_train", fails_once)
    assert run(MODELS) == 1
    assert len(folder.done_runs()) == 3
    error = folder.run("slowfast", 0, 0).error
    assert "the lamp went out" in error.read_text()
    assert "failed: slowfast/repeat0-fold0: RuntimeError: the lamp went out" in capsys.readouterr().err

    monkeypatch.setattr(training, "_train", original)
    assert run(MODELS) == 0
    assert len(folder.done_runs()) == 4 and not error.exists()


def test_a_run_that_another_program_is_at_has_not_failed(run, folder, capsys):
    assert run("model=vgg16", "fold=0") == 0
    other = folder.run("vgg16", 0, 1)
    other.path.mkdir()
    with FileLock(other.lock):
        assert run("model=vgg16") == 1
        said = capsys.readouterr()
        assert "vgg16/repeat0-fold1 is being trained by another program" in said.err
        assert "failed" not in (said.out + said.err).lower() and not other.error.exists()
    assert run("model=vgg16") == 0 and other.done


def test_a_model_is_what_it_was_or_nothing_is_trained(run, folder):
    assert run("model=slowfast", "fold=0") == 0
    with pytest.raises(UserError, match="recipe.learning_rate: 0.003 there, 0.5 asked for"):
        run("model=hybrid,slowfast", "model.recipe.learning_rate=0.5")
    assert len(folder.done_runs()) == 1


def test_a_result_says_how_it_was_made(run, folder):
    assert run("model=vgg16", "fold=0") == 0
    (run_folder,) = folder.done_runs()
    result = read_json(run_folder.result)
    assert result["train_clips"] + result["test_clips"] == 12
    assert result["simulated"] is False
    assert {"mse", "emd", "rps", "spearman"} <= set(result["metrics"])
    assert result["parameters"] > 0 and result["gmac"] > 0
    assert result["machine"]["device"] == "cpu" and result["versions"]["torch"]
    assert not run_folder.last.exists() and run_folder.model.exists()


@pytest.mark.parametrize(
    "word, message",
    [
        ("accelerator=cuda", "accelerator=cuda: torch finds no such device on this machine"),
        ("model.pretrained=official", "there are no published weights of size 'tiny'"),
        ("+model.options.windwo=5", "model 'x3d' cannot be built: .*windwo"),
        ("devices=3", "it must divide protocol.batch_size=32"),
    ],
)
def test_what_needs_no_clips_is_refused_before_any_is_simulated(word, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    register_schemas()
    words = ["protocol=smoke", "model=x3d", "data.simulate.num_clips=8", "protocol.batch_size=32", "logger=disabled"]
    with pytest.raises(UserError, match=message):
        check_all([composed(ROOT / "configs", "train", [*words, word])])
    assert not list(tmp_path.iterdir())
