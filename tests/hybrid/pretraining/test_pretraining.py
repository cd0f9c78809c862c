"""Whole pretrainings: repeatable, continued after a kill to the same weights, able to learn, done once."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import torch
from support import ROOT

from hybrid.errors import UserError
from hybrid.files import read_json
from hybrid.pretraining.run import check_pretraining, pretrain

MODEL = "model=resnet50"


def weights(folder):
    content = torch.load(folder / "pretrained.ckpt", weights_only=True)
    return content["model"] | {f"reader.{key}": value for key, value in content["reader"].items()}


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_a_killed_pretraining_continues_to_the_same_weights(config_of_pretraining, words, tmp_path):
    whole = config_of_pretraining(MODEL, "clips=64", f"runs_dir={tmp_path / 'whole'}")
    check_pretraining(whole)
    result = pretrain(whole)
    done = tmp_path / "whole" / "p" / "resnet50"
    assert result == read_json(done / "result.json") and not (done / "last.ckpt").exists()

    killed = tmp_path / "runs" / "p" / "resnet50"
    command = [sys.executable, str(ROOT / "tools" / "pretrain.py"), *words, MODEL, "clips=64"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (killed / "last.ckpt").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    printed, _ = process.communicate()
    assert "simulates 0 clips" in printed and "learns from 64" in printed
    assert not (killed / "result.json").exists() and len(pd.read_csv(killed / "metrics.csv")) < 8

    pretrain(config_of_pretraining(MODEL, "clips=64"))
    assert same(weights(killed), weights(done))
    curves = [pd.read_csv(folder / "metrics.csv").drop(columns="seconds") for folder in (killed, done)]
    pd.testing.assert_frame_equal(*curves)
    assert len(curves[0]) == 8 and {"train/path", "train/all", "test/event", "test/all"} <= set(curves[0])
    # done, it is left alone; and with other settings it is another one
    written = (killed / "pretrained.ckpt").stat().st_mtime_ns
    assert pretrain(config_of_pretraining(MODEL, "clips=64"))["clips"] == 64
    assert (killed / "pretrained.ckpt").stat().st_mtime_ns == written
    with pytest.raises(UserError, match="targets: physics\\+events there, physics asked for"):
        check_pretraining(config_of_pretraining(MODEL, "clips=64", "targets=physics"))


def test_it_learns_a_few_clips_by_heart(config_of_pretraining):
    still = [f"protocol.augment.{key}=0" for key in ("shift", "gain", "offset")]
    config = config_of_pretraining(
        MODEL, *still, "protocol.augment.flips_and_turns=False", "data.pool=4", "clips=400", "clips_an_epoch=200"
    )
    errors = pretrain(config)["errors"]["train"]
    assert set(errors) == {"path", "casa", "form", "motion", "event", "all"}
    assert max(errors.values()) < 0.25


def test_an_endless_stream_is_learned_from(config_of_pretraining, tmp_path):
    config = config_of_pretraining(MODEL, "data.pool=null", "clips=8", "clips_an_epoch=4", "targets=physics")
    check_pretraining(config)
    result = pretrain(config)
    assert result["pool"] is None and result["simulated"]["seed"] == 10**6 and "event" not in result["errors"]["test"]


@pytest.mark.parametrize(
    "override, message",
    [
        ("targets=grades", "targets must be physics or physics\\+events, not grades"),
        ("clips=20", "clips must be a multiple of clips_an_epoch, not 20"),
        ("clips_an_epoch=6", "a multiple of protocol.batch_size \\(4\\), not 6"),
        ("data.pool=0", "data.pool must be 1 or more, or null, not 0"),
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
