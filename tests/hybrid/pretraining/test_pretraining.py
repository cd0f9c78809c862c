"""Whole pretrainings: continued after a kill to the same weights, done once, refused where they cannot be."""

import math
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import torch
from support import ROOT

from baselines.weights import shipped_index
from hybrid.errors import UserError
from hybrid.files import read_json
from hybrid.pretraining.module import PretrainModule
from hybrid.pretraining.run import check_pretraining, pretrain, pretraining_folder
from hybrid.pretraining.shipping import about
from hybrid.training import precision_check
from hybrid.training.gradient_check import Found

MODEL = "model=resnet50"
WRONG, RIGHT = Found("net.layer4", "weight", math.inf), Found("net.layer4", "weight", 0.004)


def weights(folder):
    content = torch.load(folder / "pretrained.ckpt", weights_only=True)
    return content["model"] | {f"reader.{key}": value for key, value in content["reader"].items()}


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_a_killed_pretraining_continues_to_the_same_weights(config_of_pretraining, words, tmp_path):
    whole = config_of_pretraining(MODEL, "clips=48", f"runs_dir={tmp_path / 'whole'}")
    check_pretraining(whole)
    result = pretrain(whole)
    done = tmp_path / "whole" / "p" / "resnet50"
    assert result == read_json(done / "result.json") and not (done / "last.ckpt").exists()

    killed = tmp_path / "runs" / "p" / "resnet50"
    command = [sys.executable, str(ROOT / "tools" / "pretrain.py"), *words, MODEL, "clips=48"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (killed / "last.ckpt").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    printed, _ = process.communicate()
    assert "simulates 0 clips into" in printed and "learns from 48" in printed
    assert not (killed / "result.json").exists() and len(pd.read_csv(killed / "metrics.csv")) < 6

    pretrain(config_of_pretraining(MODEL, "clips=48"))
    assert same(weights(killed), weights(done))
    curves = [pd.read_csv(folder / "metrics.csv").drop(columns="seconds") for folder in (killed, done)]
    pd.testing.assert_frame_equal(*curves)
    told = {"train/frames", "train/all", "test/event", "test/within_speed", "test/all"}
    assert len(curves[0]) == 6 and told <= set(curves[0])
    # done, it is left alone; and with other settings it is another one
    written = (killed / "pretrained.ckpt").stat().st_mtime_ns
    assert pretrain(config_of_pretraining(MODEL, "clips=48"))["clips"] == 48
    assert (killed / "pretrained.ckpt").stat().st_mtime_ns == written
    with pytest.raises(UserError, match="targets: dense there, dense_no_bends asked for"):
        check_pretraining(config_of_pretraining(MODEL, "clips=48", "targets=dense_no_bends"))


@pytest.mark.parametrize(
    "override, message",
    [
        (
            "targets=grades",
            "targets must be dense or dense_no_bends or dense_no_relations or dense_no_events, not grades",
        ),
        ("clips=20", "clips must be a multiple of clips_an_epoch, not 20"),
        ("clips_an_epoch=6", "a multiple of protocol.batch_size \\(4\\), not 6"),
        ("protocol.batch_size=0", "protocol.batch_size must be 2 or more, not 0"),
        ("data.pool=0", "data.pool must be 1 or more, not 0"),
        ("data.grows=9", "data.grows must be from 0 to clips_an_epoch \\(8\\), not 9"),
        ("data.seed=7", "data.seed must be 1000000 or more, not 7"),
        ("data.preset=nothing", "no preset is named 'nothing'"),
        ("logger.mode=maybe", "logger.mode must be one of"),
        ("arm=vit", "is the name of a model"),
        ("model.recipe.frozen=backbone", "starts from fresh ones"),
    ],
)
def test_mistakes_are_named_before_anything_is_simulated(override, message, config_of_pretraining, tmp_path):
    with pytest.raises(UserError, match=message):
        check_pretraining(config_of_pretraining(MODEL, override, f"data.root={tmp_path / 'none'}"))
    assert not (tmp_path / "none").exists()


def test_a_model_of_which_nothing_learns_is_refused(config_of_pretraining):
    with pytest.raises(UserError, match="model=vjepa2: is used as it is published, and nothing of it learns"):
        check_pretraining(config_of_pretraining("model=vjepa2"))


@pytest.mark.parametrize("key", ["data.root", "runs_dir"])
def test_nothing_is_written_into_a_data_set(key, config_of_pretraining, small_dataset):
    with pytest.raises(UserError, match=f"{key}: .*new.* lies in the data set {small_dataset}"):
        check_pretraining(config_of_pretraining(MODEL, f"{key}={small_dataset / 'clips' / 'new'}"))


def test_a_pretraining_stops_at_a_number_that_is_not_finite_and_names_the_clips(config_of_pretraining, monkeypatch):
    original = PretrainModule.training_step

    def step(self, batch, place):
        return original(self, batch, place) * (math.nan if place == 1 else 1)

    monkeypatch.setattr(PretrainModule, "training_step", step)
    config = config_of_pretraining(MODEL)
    check_pretraining(config)
    with pytest.raises(UserError, match="resnet50/pretraining: not finite in epoch 0, step 1") as error:
        pretrain(config)
    assert str(error.value).count("simulated clip") == 4
    folder = pretraining_folder(config)
    assert not folder.done and not folder.last.exists()


def test_half_precision_is_checked_before_and_remembered(config_of_pretraining, monkeypatch):
    words = (MODEL, "protocol.precision=bf16-mixed", "clips=8", "accelerator=cpu")
    config = config_of_pretraining(*words)
    check_pretraining(config)
    asked = []
    monkeypatch.setattr(
        precision_check, "compare_gradients", lambda net, clip, machine: asked.append(clip.shape) or [WRONG]
    )
    with pytest.raises(UserError, match="  net.layer4: weight not finite\nbf16-mixed trains resnet50 wrongly"):
        pretrain(config)
    monkeypatch.setattr(
        precision_check, "compare_gradients", lambda net, clip, machine: asked.append(clip.shape) or [RIGHT]
    )
    pretrain(config)
    pretraining_folder(config).result.unlink()
    pretrain(config)
    assert asked == [(4, 3, 1, 64, 64)] * 2  # of the frame that an image model uses


def test_a_pretraining_goes_on_from_what_is_shipped_and_says_so(config_of_pretraining):
    config = config_of_pretraining(MODEL, "weights=continued")
    assert config.model.pretrained == "simulated" and config.model.recipe.fine_tuning_factor == 1.0
    check_pretraining(config)
    result, before = pretrain(config), shipped_index()["resnet50"]
    assert result["start"] == {"commands": before["commands"], "clips_seen": before["clips_seen"]}
    shipped = about(pretraining_folder(config))
    assert shipped["clips_seen"] == before["clips_seen"] + result["clips"]
    budget = f"clips={config.clips} data.pool={config.data.pool} data.grows={config.data.grows}"
    last = f"python tools/pretrain.py model=resnet50 {budget} weights=continued"
    assert shipped["commands"] == [*before["commands"], last]
