"""What W&B gets, read back from the files that an offline run leaves."""

import json

import pytest
from wandb_files import records, values

from hybrid.errors import UserError
from hybrid.experiment.prepare import prepare
from hybrid.training.run import train_run
from hybrid.training.tracking import check_logger


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


def test_online_without_an_account_is_refused_before_training(config_of, monkeypatch, tmp_path):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match="wandb login"):
        check_logger(config_of("logger=online"))
