"""Nothing of what is tested on reaches a training: not by groups, statistics, or the error on it.

A run is done twice, the second time with other pictures and other votes for some test clips. Its weights, and its
answers to the test clips that stayed, must be the same to the last bit. Programs that leak are caught by that, as some
that were made to leak here show.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as pl
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import hybrid.training.run as run_module
from hybrid.data.folds import make_folds, split_groups
from hybrid.data.transforms import Normalisation
from hybrid.errors import UserError
from hybrid.experiment.prepare import prepare
from hybrid.folders import run_folder
from hybrid.training.checkpoint import short_digest


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_group_is_in_two_folds(data):
    groups = data.draw(st.lists(st.sampled_from("abcdefgh"), min_size=4, max_size=60))
    seed, folds = data.draw(st.integers(0, 1000)), data.draw(st.integers(2, 6))
    targets_NK = np.random.default_rng(seed).dirichlet(np.ones(3), len(groups))
    try:
        folds_RN = make_folds(targets_NK, groups, folds, 2, seed)
    except UserError:
        assert len(set(groups)) < folds
        return
    assert split_groups(folds_RN, groups) == []
    assert all(len(np.unique(fold_N)) == folds for fold_N in folds_RN)


class HeldOutPlateau(pl.Callback):
    """Lowers the weights' scale by the error on the held-out fold, as a rate that waits for a plateau there would."""

    def on_train_epoch_end(self, trainer, module):
        with torch.no_grad():
            for parameter in module.model.parameters():
                parameter.mul_(1 - 0.1 * float(trainer.callback_metrics["test/mse"]))


@pytest.fixture
def run_twice(config_of):
    """Weights and answers of a run, and those of the same on a data set whose test clips are others but for two."""

    def run(*overrides, callbacks=list):
        found = []
        for name in ("usual", "others"):
            config = config_of("model=slowfast", "protocol.epochs=3", *overrides, f"experiment={name}")
            dataset, folds_RN = prepare(config)
            tested = np.flatnonzero(folds_RN[0] == 0)
            if name == "others":
                rng, frames_NTHWC = np.random.default_rng(0), dataset.frames_NTHWC.copy()
                targets_NK = dataset.targets_NK.copy()
                for clip in tested[2:]:
                    frames_NTHWC[clip] = rng.integers(0, 256, frames_NTHWC[clip].shape)
                for clip in tested:
                    targets_NK[clip] = np.roll(targets_NK[clip], 2)
                dataset = replace(dataset, frames_NTHWC=frames_NTHWC, targets_NK=targets_NK)
            run_module.train_run(config, dataset, folds_RN[0], callbacks())
            run = run_folder(config)
            content = torch.load(run.model, weights_only=True)
            answers = pd.read_csv(run.predictions).filter(like="predicted_").to_numpy()[:2]
            found.append((content["model"], answers, content["trained_on"]["digests"]))
        return dataset, tested, found

    return run


def alike(found) -> bool:
    (weights, answers, _), (other_weights, other_answers, _) = found
    return np.array_equal(answers, other_answers) and all(torch.equal(weights[k], other_weights[k]) for k in weights)


@pytest.mark.parametrize("way", ["clip", "published"])
def test_a_run_is_the_same_whatever_its_test_clips_hold(way, run_twice):
    dataset, tested, found = run_twice(f"protocol.normalise={way}", "protocol.best_epoch=true")
    assert alike(found)
    learned_from = {clip for clip in range(len(dataset)) if short_digest(dataset.digests[clip]) in found[0][2]}
    assert len(learned_from) == len(dataset) - len(tested)
    groups = np.array(dataset.groups)
    assert not set(groups[list(learned_from)]) & set(groups[tested])


def test_a_training_on_a_test_clip_is_caught(run_twice, monkeypatch):
    monkeypatch.setattr(run_module, "subsample", lambda clips, *_: np.arange(12))
    assert not alike(run_twice()[2])


def test_statistics_of_all_clips_are_caught(run_twice, monkeypatch):
    class Clips(run_module.InMemoryClips):
        def __init__(self, frames_NTHWC, *rest):
            mean, std = frames_NTHWC.mean((0, 1, 2, 3)) / 255, frames_NTHWC.std((0, 1, 2, 3)) / 255
            super().__init__(frames_NTHWC, Normalisation(tuple(mean), tuple(std), "published"), *rest[1:])

    monkeypatch.setattr(run_module, "InMemoryClips", Clips)
    assert not alike(run_twice()[2])


def test_a_test_fold_that_steers_the_training_is_caught(run_twice):
    assert not alike(run_twice(callbacks=lambda: [HeldOutPlateau()])[2])
