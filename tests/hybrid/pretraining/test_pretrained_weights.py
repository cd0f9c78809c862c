"""What is pretrained fits the model it is for, whichever that is."""

from pathlib import Path

import pytest
import torch

from hybrid import create_model, list_models
from hybrid.data.transforms import Normalisation
from hybrid.errors import UserError
from hybrid.pretraining.attributes import Attributes
from hybrid.pretraining.module import Objective, PretrainModule, Scale
from hybrid.pretraining.run import save_pretrained
from hybrid.training.build import build_model, check_model
from hybrid.training.optimiser import parameter_groups

ATTRIBUTES = Attributes("physics+events", 16, 16.0)
MEASURED = len(ATTRIBUTES.steps) + len(ATTRIBUTES.numbers)
NORMALISATION = Normalisation((0.5,) * 3, (0.25,) * 3)
SCALE = Scale((0.0,) * MEASURED, (1.0,) * MEASURED, (1.0,) * len(ATTRIBUTES.choices))


@pytest.mark.parametrize("name", list_models(controls=True))
def test_every_model_goes_on_from_its_own(name, config_of_pretraining, config_of):
    torch.manual_seed(1)
    config = config_of(f"model={name}", "weights=simulated")
    model = create_model(name, "tiny")
    module = PretrainModule(
        model, Objective(ATTRIBUTES, SCALE), NORMALISATION, config_of_pretraining(f"model={name}")
    ).eval()
    with torch.no_grad():
        assert module(torch.randn(2, 3, 16, 64, 64)).shape == (2, module.objective.num_outputs)
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
            assert group["lr"] == pytest.approx(recipe.learning_rate), key


@pytest.mark.parametrize("name", ["hybrid", "slowfast_nln"])
def test_what_copies_slowfast_starts_from_its_pretraining(name, config_of_pretraining, config_of):
    config = config_of(f"model={name}", "weights=simulated_slowfast")
    slowfast = create_model("slowfast", "tiny")
    objective = Objective(ATTRIBUTES, SCALE)
    module = PretrainModule(slowfast, objective, NORMALISATION, config_of_pretraining("model=slowfast")).eval()
    save_pretrained(Path(config.model.pretrained), module, {"model": "slowfast"})
    loaded, clip_BCTHW = build_model(config, num_grades=5).eval(), torch.randn(2, 3, 16, 64, 64)
    with torch.no_grad():
        features = [m.forward_head(m.forward_features(clip_BCTHW), pre_logits=True) for m in (slowfast, loaded)]
    assert torch.equal(*features)

    with pytest.raises(UserError, match="pretrained.ckpt"):
        build_model(config_of("model=r3d", "weights=simulated_slowfast"), num_grades=5)


def test_weights_that_were_not_made_yet_are_asked_for(config_of):
    with pytest.raises(UserError, match="there is no .*pretraining-tiny-physics/vit/pretrained.ckpt"):
        check_model(config_of("model=vit", "weights=simulated_physics"))


def test_the_classifier_has_no_part_in_it(config_of_pretraining):
    config = config_of_pretraining("model=slowfast")
    module = PretrainModule(create_model("slowfast", "tiny"), Objective(ATTRIBUTES, SCALE), NORMALISATION, config)
    outputs = module(torch.randn(2, 3, 16, 64, 64))
    values_BV = torch.zeros(2, MEASURED + len(ATTRIBUTES.choices))
    module.objective(outputs, values_BV)["all"].backward()
    without = {key for key, p in module.model.named_parameters() if p.grad is None}
    assert without == {f"{module.model.classifier}.weight", f"{module.model.classifier}.bias"}
    assert module.reader.weight.grad.abs().max() > 0
