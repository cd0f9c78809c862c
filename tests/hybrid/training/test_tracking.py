"""What W&B gets, read back from the files that an offline run leaves."""

import json

import pytest
import wandb
from wandb_files import records, values

from hybrid.errors import UserError
from hybrid.experiment.prepare import prepare
from hybrid.folders import run_folder
from hybrid.training.run import train_run
from hybrid.training.tracking import Tracker, check_logger, run_id


def test_an_offline_run_holds_config_curves_figures_and_predictions(config_of, tmp_path, monkeypatch):
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    config = config_of("model=vgg16", "logger=offline")
    dataset, folds_RN = prepare(config)
    result = train_run(config, dataset, folds_RN[0])
    folder = tmp_path / "runs" / config.experiment / "vgg16" / "repeat0-fold0"

    history, summary, settings, runs = [], {}, {}, []
    for record in records(folder):
        kind = record.WhichOneof("record_type")
        if kind == "history":
            history.append(values(record.history.item))
        elif kind == "summary":
            summary |= values(record.summary.update)
        elif kind == "run":
            runs.append(record.run)
            settings |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
        elif kind == "config":
            settings |= {item.key: json.loads(item.value_json) for item in record.config.update}
    assert runs[0].run_group == config.experiment and runs[0].job_type == "vgg16"
    assert settings["protocol"]["epochs"] == 2 and settings["model"]["name"] == "vgg16"
    assert sum("train/mse" in row for row in history) == 2 and sum("test/mse" in row for row in history) == 2
    assert any("predictions.nrows" in row for row in history)
    assert summary["fold/mse"] == pytest.approx(result["metrics"]["mse"])
    assert summary["parameters"] == result["parameters"] and summary["gmac"] == result["gmac"]


@pytest.mark.parametrize("experiment", ["x" * 95, "Größe 1; μm, und sehr, sehr lang " + "y" * 180])
def test_names_of_any_length_are_tracked_where_no_home_can_be_written(
    experiment, config_of, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("HOME", "/dev/null/nowhere")
    config = config_of("model=vgg16", "logger=offline", "protocol.epochs=1")
    config.experiment = experiment
    dataset, folds_RN = prepare(config)
    train_run(config, dataset, folds_RN[0])
    assert "warning" not in capsys.readouterr().err
    kinds = [record.WhichOneof("record_type") for record in records(run_folder(config).path)]
    assert {"run", "history", "artifact", "exit"} <= set(kinds)


def test_an_offline_run_tells_its_makers_nothing_either(config_of, monkeypatch):
    """Of errors and of what it counts: W&B would, a minute after it began, to its own machines."""
    monkeypatch.delenv("WANDB_ERROR_REPORTING", raising=False)
    tracker = Tracker(config_of("logger=offline"), {}, run_folder(config_of("logger=offline")).path, "vgg16/one")
    with tracker.opened() as logger:
        assert logger is not None and not wandb.env.error_reporting_enabled()
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "true")  # who asks for it, is asked
    with tracker.opened():
        assert wandb.env.error_reporting_enabled()


def test_ids_are_short_and_no_two_runs_share_one():
    names = [
        ("a", "b-c/repeat0-fold0"),
        ("a-b", "c/repeat0-fold0"),
        ("x" * 95, "c/repeat0-fold0"),
        ("x" * 96, "c/repeat0-fold0"),
    ]
    ids = [run_id(*name) for name in names]
    assert len(set(ids)) == 4 and all(len(one) <= 64 for one in ids)


@pytest.mark.parametrize("broken", ["init", "log", "finish"])
def test_a_trackers_error_is_a_warning_and_the_result_is_there(broken, config_of, monkeypatch, capsys):
    config = config_of("model=vgg16", "logger=offline", "protocol.epochs=1", f"experiment={broken}")

    def fails(*_, **__):
        assert broken != "finish" or run_folder(config).done, "the result comes first"
        raise RuntimeError("the tracker is on strike")

    monkeypatch.setattr(wandb if broken == "init" else wandb.Run, broken, fails)
    dataset, folds_RN = prepare(config)
    train_run(config, dataset, folds_RN[0])
    assert run_folder(config).done and not run_folder(config).last.exists()
    said = capsys.readouterr().err
    assert said.count("warning: W&B") == 1 and "the tracker is on strike" in said
    monkeypatch.undo()
    wandb.finish()


def test_online_without_an_account_is_refused_before_training(config_of, monkeypatch, tmp_path):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match="wandb login"):
        check_logger(config_of("logger=online"))
