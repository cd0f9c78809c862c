"""last.ckpt is whole or the one before it, and one that cannot be used is said and left."""

import copy
import errno
import math
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from omegaconf import OmegaConf

from hybrid.config import AugmentConfig
from hybrid.errors import UserError
from hybrid.experiment.prepare import prepare
from hybrid.folders import run_folder
from hybrid.training import loop
from hybrid.training.loop import RepeatableModule, WholeCheckpoints
from hybrid.training.run import train_run


def cut(path):
    path.write_bytes(path.read_bytes()[:-1000])


def not_finite(path):
    content = torch.load(path, weights_only=True)
    next(iter(content["state_dict"].values())).fill_(math.nan)
    torch.save(content, path)


def another_models(path):
    content = torch.load(path, weights_only=True)
    del content["state_dict"][next(iter(content["state_dict"]))]
    torch.save(content, path)


@pytest.mark.parametrize(
    "spoil, why",
    [
        (cut, "cannot be read"),
        (not_finite, "holds weights that are not finite"),
        (another_models, "is of another model"),
    ],
)
def test_a_run_whose_checkpoint_is_of_no_use_starts_anew_and_says_so(
    spoil, why, config_of, monkeypatch, capsys, tmp_path
):
    config, whole = config_of("model=vgg16"), config_of("model=vgg16", "experiment=whole")
    dataset, folds_RN = prepare(config)
    prepare(whole)
    train_run(whole, dataset, folds_RN[0])
    run, saved = run_folder(config), []

    def full_disk(path, content):
        saved.append(path)
        if len(saved) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(path, content)

    save = loop.save_tensors
    monkeypatch.setattr(loop, "save_tensors", full_disk)
    with pytest.raises(OSError):
        train_run(config, dataset, folds_RN[0])
    monkeypatch.undo()
    assert run.last.exists()
    spoil(run.last)
    capsys.readouterr()
    train_run(config, dataset, folds_RN[0])
    assert f"{run.last} {why}" in (said := capsys.readouterr().err) and "starts anew" in said
    assert run.predictions.read_bytes() == run_folder(whole).predictions.read_bytes()


class Stops(pl.Callback):
    """After so many epochs."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_train_epoch_start(self, trainer, module) -> None:
        if trainer.current_epoch == self.epochs:
            raise OSError("stopped")


def test_a_probe_continues_from_the_last_tenth_epoch(config_of):
    words = ["model=mvit", "protocol.epochs=12"]
    config, whole = config_of(*words), config_of(*words, "experiment=whole")
    dataset, folds_RN = prepare(config)
    prepare(whole)
    train_run(whole, dataset, folds_RN[0])
    run = run_folder(config)
    for stopped, kept in [(9, False), (11, True)]:
        with pytest.raises(OSError, match="stopped"):
            train_run(config, dataset, folds_RN[0], [Stops(stopped)])
        assert run.last.exists() == kept and run.epochs == stopped
    assert torch.load(run.last, weights_only=True)["epoch"] == 9
    train_run(config, dataset, folds_RN[0])
    assert run.epochs == 12
    assert run.predictions.read_bytes() == run_folder(whole).predictions.read_bytes()


def test_weights_that_are_not_finite_do_not_replace_those_that_were(tmp_path):
    path = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"state_dict": {"a": torch.ones(2)}}, path)
    with pytest.raises(UserError, match="not finite: b"):
        WholeCheckpoints().save_checkpoint({"state_dict": {"b": torch.tensor([1.0, math.inf])}}, path)
    assert list(torch.load(path, weights_only=True)["state_dict"]) == ["a"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_named_and_leaves_the_last_good_one(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"state_dict": {"a": torch.ones(2)}}, path)
    before = path.read_bytes()
    monkeypatch.setattr(Path, "write_bytes", lambda self, content: open("/dev/full", "wb").write(content))
    with pytest.raises(UserError, match="last.ckpt cannot be written .No space left on device.; .* is kept"):
        WholeCheckpoints().save_checkpoint({"state_dict": {"a": torch.zeros(10**6)}}, path)
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


@pytest.mark.parametrize("most", [0.1, 1.0, 1e3, math.inf])
def test_gradients_are_clipped_as_torch_does(most, monkeypatch):
    ours, theirs = RepeatableModule(0, OmegaConf.structured(AugmentConfig())), torch.nn.Linear(8, 4)
    ours.net = copy.deepcopy(theirs)
    for net in (ours.net, theirs):
        (net(torch.arange(8.0)) ** 2).sum().backward()
    norm = torch.nn.utils.clip_grad_norm_(theirs.parameters(), most)
    through = []
    clip = torch.nn.utils.clip_grads_with_norm_
    monkeypatch.setattr(torch.nn.utils, "clip_grads_with_norm_", lambda *args: through.append(1) or clip(*args))
    ours.configure_gradient_clipping(None, most)
    assert len(through) == (norm > most), "gradients that are small enough are left alone"
    for mine, reference in zip(ours.net.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine.grad, reference.grad)
