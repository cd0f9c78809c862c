"""Mixers compared on what one model reads: what they are given and answer, and that chance is the seed's alone."""

import math

import pandas as pd
import pytest
import torch

from hybrid.errors import UserError
from hybrid.pretraining.attributes import Attributes
from hybrid.pretraining.mixers import MIXERS, ReadFrames, Reading, read, train
from hybrid.pretraining.module import Objective, Scale, split
from hybrid.pretraining.run import check_pretraining, pretrain, pretraining_folder

ATTRIBUTES = Attributes("dense", 16, 16.0)


@pytest.fixture(scope="module")
def reading(pool_values) -> Reading:
    """True frames as if a model had read them."""
    objective, values = Objective(ATTRIBUTES, Scale.of(ATTRIBUTES, pool_values)), torch.from_numpy(pool_values)
    true = objective.frames_wanted(split(ATTRIBUTES, values)[2])
    clips = ReadFrames(true, true, values)
    return Reading(clips, clips, objective)


@pytest.mark.parametrize("kind", MIXERS)
def test_a_training_is_its_seeds_and_its_mixers(kind, reading):
    result, again, other = (train(kind, reading, 2, seed) for seed in (0, 0, 1))
    assert result == again and result["mixer"] == kind
    errors = {name: value for name, value in result.items() if ", " in name}
    assert {"relations, read", "relations_turn, true", "event, read"} <= set(errors)
    assert all(math.isfinite(error) for error in errors.values())
    assert errors["relations, read"] == errors["relations, true"] != other["relations, read"]


def test_attention_learns_by_heart_what_frames_alone_cannot_tell(reading):
    attention, alone = (train(kind, reading, 60, 0)["relations, true"] for kind in ("attention", "alone"))
    assert attention < 0.5 and attention < alone


@pytest.mark.parametrize("name", ["hybrid", "x3d"])
def test_frames_are_read_as_the_pretrained_model_read_them(name, config_of_pretraining, pool_root):
    config = config_of_pretraining(f"model={name}", "clips=8")
    with pytest.raises(UserError, match="holds no finished pretraining"):
        read(pretraining_folder(config).path, pool_root, 8, 4)
    check_pretraining(config)
    result = pretrain(config)
    asked = {name for name in pd.read_csv(pretraining_folder(config).metrics) if "taught" in name or "shown" in name}
    by_hybrid = {"train/taught_event", "train/taught_relations", "train/shown_form", "train/shown_texture"}
    assert asked == (by_hybrid if name == "hybrid" else set())
    found = read(pretraining_folder(config).path, pool_root, 8, 4)
    assert found.learned.read_NTD.shape == found.learned.true_NTD.shape == (8, 16, 15)
    outputs = torch.zeros(4, found.objective.num_outputs)
    errors = found.objective(torch.cat([outputs, found.held_out.read_NTD.flatten(1)], 1), found.held_out.values_NV)
    assert float(errors["frames"]) == pytest.approx(result["errors"]["test"]["frames"], rel=1e-4)
