"""What is pretrained fits the model it is for, whichever that is."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hybrid import create_model, list_models
from hybrid.data.transforms import Normalisation
from hybrid.errors import UserError
from hybrid.model.frame_values import FRAME_VALUES, columns_of
from hybrid.pretraining.attributes import Attributes
from hybrid.pretraining.module import Objective, PretrainModule, Scale, split
from hybrid.pretraining.pool import PoolClips
from hybrid.pretraining.run import save_pretrained
from hybrid.training.build import build_model, check_model
from hybrid.training.optimiser import parameter_groups

ATTRIBUTES = Attributes("dense", 16, 16.0)
NORMALISATION = Normalisation((0.5,) * 3, (0.25,) * 3)
MEASURED, VALUES = len(ATTRIBUTES.measured), len(FRAME_VALUES)
ONES = (1.0,) * MEASURED, (1.0,) * len(ATTRIBUTES.choices)
SCALE = Scale((0.0,) * MEASURED, *ONES, (0.0,) * VALUES, (1.0,) * VALUES, (0.5,) * VALUES)


@pytest.mark.parametrize("name", list_models(controls=True))
def test_every_model_goes_on_from_its_own(name, config_of_pretraining, config_of):
    torch.manual_seed(1)
    config = config_of(f"model={name}", "weights=pretraining")
    model = create_model(name, "tiny")
    module = PretrainModule(
        model, Objective(ATTRIBUTES, SCALE), NORMALISATION, config_of_pretraining(f"model={name}")
    ).eval()
    with torch.no_grad():
        assert module(torch.randn(2, 3, 16, 64, 64)).shape == (2, module.objective.num_outputs + 16 * VALUES)
    save_pretrained(Path(config.model.pretrained), module, {"model": name})
    check_model(config)

    loaded = build_model(config, num_grades=5)
    report, classifier = loaded.load_report, f"{loaded.classifier}."
    assert not (report.missing or report.unexpected or report.reshaped or report.new)
    assert all(key.startswith(classifier) for key in report.dropped_head) and report.dropped_head
    for key, value in model.state_dict().items():
        if not key.startswith(classifier):
            assert torch.equal(loaded.state_dict()[key], value), key
    recipe = config.model.recipe
    for group in parameter_groups(loaded, recipe):
        for key in group["names"]:
            assert group["lr"] == pytest.approx(recipe.learning_rate * recipe.fine_tuning_factor), key


@pytest.mark.parametrize("name", ["hybrid", "slowfast_nln"])
def test_what_copies_slowfast_starts_from_its_pretraining(name, config_of_pretraining, config_of):
    own = "model.pretrained=${runs_dir}/pretraining-tiny-dense/slowfast/pretrained.ckpt"
    config = config_of(f"model={name}", "weights=pretraining", own)
    slowfast = create_model("slowfast", "tiny")
    objective = Objective(ATTRIBUTES, SCALE)
    module = PretrainModule(slowfast, objective, NORMALISATION, config_of_pretraining("model=slowfast")).eval()
    save_pretrained(Path(config.model.pretrained), module, {"model": "slowfast"})
    loaded, clip_BCTHW = build_model(config, num_grades=5).eval(), torch.randn(2, 3, 16, 64, 64)
    with torch.no_grad():
        features = [m.forward_head(m.forward_features(clip_BCTHW), pre_logits=True) for m in (slowfast, loaded)]
    assert torch.equal(*features)

    with pytest.raises(UserError, match="pretrained.ckpt"):
        build_model(config_of("model=r3d", "weights=pretraining", own), num_grades=5)


def test_weights_that_were_not_made_yet_are_asked_for(config_of):
    with pytest.raises(UserError, match="there is no .*pretraining-tiny-dense_no_events/vit/pretrained.ckpt"):
        check_model(config_of("model=vit", "weights=pretraining_no_events"))


def test_the_classifier_has_no_part_in_it(config_of_pretraining):
    config = config_of_pretraining("model=slowfast")
    module = PretrainModule(create_model("slowfast", "tiny"), Objective(ATTRIBUTES, SCALE), NORMALISATION, config)
    outputs = module(torch.randn(2, 3, 16, 64, 64))
    values_BV = torch.zeros(2, len(ATTRIBUTES.names))
    module.objective(outputs, values_BV)["all"].backward()
    without = {key for key, p in module.model.named_parameters() if p.grad is None}
    assert without == {f"{module.model.classifier}.weight", f"{module.model.classifier}.bias"}
    assert all(weight.grad.abs().max() > 0 for weight in module.reader.parameters())


@pytest.mark.parametrize("name", list_models(controls=True))
def test_every_model_is_asked_at_each_of_its_time_steps(name, config_of_pretraining):
    """The same layer for all: linear, off the means over space of what the model has last."""
    model = create_model(name, "tiny").eval()
    module = PretrainModule(
        model, Objective(ATTRIBUTES, SCALE), NORMALISATION, config_of_pretraining(f"model={name}")
    ).eval()
    clip_BCTHW = torch.randn(2, 3, 16, 64, 64)[:, :, model.used_frames(16)]
    with torch.no_grad():
        features = model.forward_features(clip_BCTHW)
        steps = model.time_steps(features, 16)
        read = module.reader["frames"] if "frames" in module.reader else model.read_frames
        answers_BTD = read(steps).clone()
    assert [x_BSD.shape[1] for x_BSD in steps] == STEPS[name]
    assert answers_BTD.shape == (2, 16, VALUES)
    if max(STEPS[name]) == 1:
        assert torch.equal(steps[0][:, 0], model.forward_head(features, pre_logits=True))
    with torch.no_grad():  # a step answers for its own frames
        for steps_BSD in steps:
            steps_BSD[:, -1] += 1
        changed_T = (read(steps) - answers_BTD).abs().amax((0, 2)) > 0
    assert changed_T.tolist() == [frame >= 16 - 16 // min(STEPS[name]) for frame in range(16)]


def test_a_part_over_frames_is_taught_on_true_ones_and_the_trunk_is_not(config_of_pretraining, pool_values):
    config = config_of_pretraining("model=hybrid")
    objective = Objective(ATTRIBUTES, Scale.of(ATTRIBUTES, pool_values))
    module = PretrainModule(create_model("hybrid", "tiny"), objective, NORMALISATION, config)
    features = module.model.forward_features(torch.randn(8, 3, 16, 64, 64))
    torch.nn.init.ones_(module.model.frames.leave.norm.weight)
    sum(module.taught(features, torch.from_numpy(pool_values)).values()).backward()
    learned = {name for name, parameter in module.named_parameters() if parameter.grad is not None}
    frames = {name for name, _ in module.named_parameters() if name.startswith("model.frames.")}
    sees = {name for name in frames if name.startswith(("model.frames.read.", "model.frames.glimpse."))}
    shown = {name for name in sees if name.startswith(("model.frames.glimpse.narrow", "model.frames.glimpse.leave"))}
    assert learned == frames - sees | shown | {"reader.clip.weight", "reader.clip.bias"} and sees > shown


def test_true_frames_are_told_from_others(config_of_pretraining, pool_values):
    """With no noise, the same clips' frames give the same error; frames of other clips give another."""
    config = config_of_pretraining("model=hybrid")
    objective = Objective(ATTRIBUTES, Scale.of(ATTRIBUTES, pool_values))
    module = PretrainModule(create_model("hybrid", "tiny"), objective, NORMALISATION, config).eval()
    torch.nn.init.ones_(module.model.frames.leave.norm.weight)
    values_BV = torch.from_numpy(pool_values)
    errors = []
    with torch.no_grad():
        features = module.model.forward_features(torch.zeros(8, 3, 16, 64, 64))
        for seed, values in ((0, values_BV), (0, values_BV), (1, values_BV)):
            torch.manual_seed(seed)
            errors.append(tuple(map(float, module.taught(features, values).values())))
        frames = len(FRAME_VALUES) * 16
        other = torch.cat([values_BV[:, :-frames], values_BV[:, -frames:].flip(0)], 1)
        torch.manual_seed(0)
        errors.append(tuple(map(float, module.taught(features, other).values())))
    assert errors[0] == errors[1] and len(set(errors)) == 3, "noise and frames count, and nothing else"


def test_a_second_look_is_taught_at_heads_of_the_pool(config_of_pretraining, pool_root, request_made, monkeypatch):
    """It alone learns, from pixels around the head; what is 26 px and more away from it is nothing to it."""
    pool = PoolClips(pool_root, request_made, 8, ATTRIBUTES)
    objective = Objective(ATTRIBUTES, Scale.of(ATTRIBUTES, pool.values_NV))
    module = PretrainModule(create_model("hybrid", "tiny"), objective, NORMALISATION, config_of_pretraining()).eval()
    monkeypatch.setattr(PretrainModule, "pool", pool)

    def errors_of(frames_NTHWC):
        monkeypatch.setattr(PoolClips, "frames_NTHWC", frames_NTHWC)
        torch.manual_seed(0)
        return module.taught_look()

    frames = np.array(pool.frames_NTHWC)
    errors = errors_of(frames)
    sum(errors.values()).backward()
    learned = {name for name, parameter in module.named_parameters() if parameter.grad is not None}
    look = {name for name, _ in module.named_parameters() if name.startswith("model.frames.glimpse.looks.1.see.")}
    assert learned == look | {f"{layer}.{kind}" for layer in SHOWS for kind in ("weight", "bias")} and len(look) == 9
    *_, frames_NTD = split(ATTRIBUTES, pool.values_NV)
    head_NT2 = 31.5 + 32 * frames_NTD[..., columns_of("head")]
    places_HW2 = np.stack(np.meshgrid(np.arange(64), np.arange(64)), axis=-1)
    far_NTHW = np.linalg.norm(head_NT2[:, :, None, None] - places_HW2, axis=-1) > 26
    assert 0.2 < far_NTHW.mean() < 0.8
    assert errors_of(np.where(far_NTHW[..., None], 0, frames)) == errors
    assert errors_of(np.where(far_NTHW[..., None], frames, 0)) != errors


SHOWS = ("model.frames.glimpse.narrow", "reader.shown")
IMAGE = ("vgg16", "resnet50", "vit", "swin", "convit", "mixer")
STEPS = {
    **dict.fromkeys((*IMAGE, "rostfine"), [1]),
    **dict.fromkeys(("r3d", "r2plus1d"), [2]),
    **dict.fromkeys(("i3d", "vivit"), [8]),
    **dict.fromkeys(("x3d", "timesformer"), [16]),
    **dict.fromkeys(("slowfast", "slowfast_nln"), [4, 16]),
    "hybrid": [16],
    **dict.fromkeys(("late_fusion", "ensemble"), [4, 16, 16]),
}
"""time steps of 16 frames, of each pathway"""
