import math

import pytest
import torch

from baselines.contract import LoadReport
from hybrid import create_model, list_models
from hybrid.config import RecipeConfig
from hybrid.training.optimiser import build_optimiser, parameter_groups, rate_factor


def recipe(**changes) -> RecipeConfig:
    return RecipeConfig(**{"learning_rate": 1e-3, "weight_decay": 0.05} | changes)


def by_name(groups: list[dict]) -> dict[str, dict]:
    return {name: group for group in groups for name in group["names"]}


@pytest.mark.parametrize("name", list_models())
def test_every_parameter_is_in_one_group_and_vectors_do_not_decay(name):
    model = create_model(name, "tiny")
    groups = parameter_groups(model, recipe())
    names = [name for group in groups for name in group["names"]]
    assert sorted(names) == sorted(name for name, _ in model.named_parameters())
    spared = model.no_weight_decay()
    for name, parameter in model.named_parameters():
        decays = parameter.ndim > 1 and name not in spared
        assert by_name(groups)[name]["weight_decay"] == (0.05 if decays else 0.0)


def test_from_fresh_weights_all_learn_at_one_rate():
    model = create_model("hybrid", "tiny")
    groups = parameter_groups(model, recipe(new_module_factor=5.0, layer_decay=0.5))
    assert {group["lr"] for group in groups} == {1e-3}


@pytest.mark.parametrize("held", ["slowfast", "hybrid", "hybrid with its classifier"])
def test_fine_tuning_is_slower_and_what_the_weights_do_not_hold_learns_faster(held, tmp_path):
    source = create_model(held.split()[0], "tiny", num_grades=5 if "classifier" in held else 7)
    torch.save(source.state_dict(), tmp_path / "weights.pt")
    model = create_model("hybrid", "tiny", pretrained=str(tmp_path / "weights.pt"))
    groups = by_name(parameter_groups(model, recipe(fine_tuning_factor=0.1, new_module_factor=5.0)))
    classifier = (f"{model.classifier}.",)
    new = {"slowfast": (*model.new_module_prefixes, *classifier), "hybrid": classifier}.get(held, ())
    for name, group in groups.items():
        assert group["lr"] == pytest.approx(5e-4 if name.startswith(new) else 1e-4), name
    assert {name.startswith(new) for name in groups} == ({True, False} if new else {False})


@pytest.mark.parametrize("name", list_models("transformer"))
def test_layer_decay_slows_the_first_layers_most(name):
    model = create_model(name, "tiny")
    settings = recipe(layer_decay=0.5, fine_tuning_factor=1.0)
    model.load_report = LoadReport("a checkpoint")
    groups = by_name(parameter_groups(model, settings))
    rates = [group["lr"] for group in groups.values()]
    assert max(rates) == pytest.approx(1e-3) == groups[f"{model.classifier}.weight"]["lr"]
    first = next(group["lr"] for name, group in groups.items() if name.startswith(tuple(model.first_convs)))
    assert first == pytest.approx(min(rates)) and first < 0.3e-3


def test_frozen_parameters_are_left_out():
    model = create_model("slowfast", "tiny")
    frozen = next(name for name, _ in model.named_parameters())
    model.get_parameter(frozen).requires_grad_(False)
    assert frozen not in by_name(parameter_groups(model, recipe()))


def test_the_schedule_rises_linearly_and_falls_as_a_cosine():
    factors = [rate_factor(step, total_steps=110, warmup_steps=10) for step in range(111)]
    assert factors[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert factors[60] == pytest.approx(0.5)
    assert factors[110] == pytest.approx(0, abs=1e-12)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(torch.optim.SGD([torch.zeros(1)], lr=1.0), T_max=100)
    for step in range(10, 110):
        assert factors[step] == pytest.approx(reference.get_last_lr()[0], abs=1e-9)
        reference.optimizer.step()
        reference.step()


def test_plain_sgd_at_one_rate_is_torchs_own():
    """Every parameter decays, as torch has it; the reference is torch's SGD over all parameters."""
    plain = recipe(optimiser="sgd", schedule="constant", warmup_share=0.0, clip_gradient=math.inf)
    models = [create_model("vgg16", "tiny") for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    optimiser, schedule = build_optimiser(parameter_groups(models[0], plain), plain, total_steps=3)
    reference = torch.optim.SGD(models[1].parameters(), lr=1e-3, momentum=0.9, weight_decay=0.05)
    for _ in range(3):
        for model in models:
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
        optimiser.step()
        schedule.step()
        reference.step()
    for ours, theirs in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_one_step_is_all_of_a_schedule():
    model = create_model("slowfast", "tiny")
    optimiser, schedule = build_optimiser(parameter_groups(model, recipe()), recipe(), total_steps=1)
    assert math.isfinite(optimiser.param_groups[0]["lr"]) and optimiser.param_groups[0]["lr"] > 0
    optimiser.step()
    schedule.step()
