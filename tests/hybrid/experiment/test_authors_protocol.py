"""protocol=authors: one recipe for all, their networks, their folds, and the best epoch beside the last."""

import csv

import numpy as np
import pytest
import torch
from sklearn.model_selection import KFold
from support import ROOT

from hybrid import list_models
from hybrid.config import register_schemas
from hybrid.experiment.benchmark import check_all
from hybrid.experiment.hydra_jobs import composed
from hybrid.experiment.prepare import prepare
from hybrid.folders import run_folder
from hybrid.training.build import check_model
from hybrid.training.run import train_run


def authors(*words):
    register_schemas()
    return composed(ROOT / "configs", "train", ["protocol=authors", *words])


def test_one_recipe_for_all_models():
    recipes = [authors(f"model={name}").model.recipe for name in list_models()]
    assert all(recipe == recipes[0] for recipe in recipes)
    assert (recipes[0].optimiser, recipes[0].schedule, recipes[0].learning_rate) == ("sgd", "constant", 5e-3)
    assert recipes[0].weight_decay == 5e-4 and recipes[0].warmup_share == 0


def test_nothing_is_augmented():
    augment = authors("model=vgg16").protocol.augment
    assert not augment.flips_and_turns and augment.shift == augment.gain == augment.offset == 0


@pytest.mark.parametrize("size", ["paper", "tiny"])
@pytest.mark.parametrize("name", list_models())
def test_every_model_can_be_built(name, size):
    config = authors(f"model={name}", f"protocol.size={size}")
    assert config.protocol.pretrained == ("official" if size == "paper" else "none")
    check_model(config)


def test_their_networks():
    frames = {name: authors(f"model={name}").model.num_frames for name in list_models()}
    others = {name: number for name, number in frames.items() if number != 16}
    assert others == {"slowfast": 32, "timesformer": 8, "rostfine": 8}
    assert authors("model=r3d").model.options.variant == "slow_r50"
    assert authors("model=r2plus1d").model.options.variant == "r2plus1d_r50"


def test_a_run_splits_groups_says_so_and_tells_of_its_best_epoch(small_dataset, tmp_path, capsys):
    words = ["model=vgg16", "protocol.size=tiny", "protocol.epochs=3", "protocol.num_folds=3", "protocol.batch_size=4"]
    where = ["data=folder", f"data.root={small_dataset}", f"runs_dir={tmp_path}", "logger=disabled"]
    config = authors(*words, *where)
    dataset, folds_RN = prepare(config)
    _, tested = next(iter(KFold(3, shuffle=True, random_state=123).split(np.zeros(12))))
    assert np.flatnonzero(folds_RN[0] == 0).tolist() == sorted(tested)
    check_all([config])
    said = capsys.readouterr().err
    assert said.count("note: grades, best first: A, B, C, D, E; groups: 4; raters a clip: 40\n") == 1
    assert "note: 4 groups (donors, say) are split" in said

    result = train_run(config, dataset, folds_RN[0])
    with open(run_folder(config).metrics) as file:
        errors = [float(row["test/mse"]) for row in csv.DictReader(file)]
    assert len(errors) == 3 and errors[-1] == pytest.approx(result["metrics"]["mse"], rel=1e-5)
    best = result["best_epoch"]
    assert best["mse"] == min(errors) and errors[int(best["epoch"])] == min(errors)
    assert torch.isfinite(torch.tensor(errors)).all()


def test_other_protocols_tell_of_no_best_epoch(config_of):
    config = config_of("model=vgg16")
    dataset, folds_RN = prepare(config)
    assert "best_epoch" not in train_run(config, dataset, folds_RN[0])
