"""A fitted classifier is the least-error one, whatever the scale of its features, and a continued run keeps its own."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import nn

from hybrid import create_model, list_models
from hybrid.data.loader import InMemoryClips
from hybrid.data.transforms import Normalisation
from hybrid.errors import UserError
from hybrid.training.build import build_model, check_model
from hybrid.training.classifier_start import PENALTY, fit_classifier
from hybrid.training.module import GradeModule


@pytest.fixture
def told():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 4)) * [1, 10, 0.1, 0] + [0, 5, 0, 3]
    logits = features[:, :3] @ (rng.normal(size=(3, 5)) / [[1], [10], [0.1]])
    targets = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return features, targets


def test_no_other_weights_have_a_lower_penalised_error(told):
    features, targets = told
    linear = nn.Linear(4, 5)
    fit_classifier(linear, torch.tensor(features), torch.tensor(targets))
    assert torch.equal(linear.weight[:, 3], torch.zeros(5)), "of a feature that is the same for all clips"
    standard = (features - features.mean(0))[:, :3] / features.std(0, ddof=1)[:3]

    def penalised(x):
        weight, bias = x[:15].reshape(5, 3), x[15:]
        logits = standard @ weight.T + bias
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        return ((p - targets) ** 2).mean() + 4 * PENALTY * (weight**2).sum()

    found = minimize(penalised, np.concatenate([np.zeros(15), np.log(targets.mean(0))]), method="BFGS")
    p = torch.softmax(linear(torch.tensor(features).float()), -1).detach().numpy()
    weight = linear.weight.detach().numpy()[:, :3] * features.std(0, ddof=1)[:3]
    assert ((p - targets) ** 2).mean() + 4 * PENALTY * (weight**2).sum() == pytest.approx(found.fun, rel=0.01)


CLASSIFIERS = [(name, {}) for name in list_models(controls=True)] + [("hybrid", {"classifier": "ordinal"})]


@pytest.mark.parametrize(("name", "options"), CLASSIFIERS)
def test_every_models_classifier_is_fitted(name, options):
    """To what the first and the last feature tell together, and for the features as they are. Half of it at least: a
    mean of distributions whose parts see one of the two cannot say more."""
    model = create_model(name, "tiny", **options)
    rng = np.random.default_rng(0)
    features = torch.tensor(5 + 3 * rng.normal(size=(400, model.num_features)), dtype=torch.float32)
    place = features[:, 0] - features[:, -1]
    targets = torch.softmax(torch.stack([place * k / 4 for k in range(5)], dim=1), dim=1)
    classifier = model.get_submodule(model.classifier)
    fit_classifier(classifier, features, targets)
    error = (classifier(features).softmax(-1) - targets).square().mean()
    assert error < 0.5 * (targets - targets.mean(0)).square().mean()


def test_a_network_that_says_the_same_of_all_clips_answers_their_mean(told):
    _, targets = told
    rng = np.random.default_rng(1)
    linear = nn.Linear(8, 5)
    features = torch.tensor(1 + 1e-4 * rng.normal(size=(60, 8)))
    fit_classifier(linear, features, torch.tensor(targets))
    answers = torch.softmax(linear(features.float() + 0.1), -1)
    np.testing.assert_allclose(answers.detach().numpy(), np.tile(targets.mean(0), (60, 1)), atol=1e-3)


def started(config_of, frozen, clips_NTHWC):
    """A model from what is shipped, about to learn from clips on which its classifier was fitted."""
    config = config_of("model=r3d", "weights=simulated", f"model.recipe.frozen={frozen}", "protocol.batch_size=16")
    clips = InMemoryClips(clips_NTHWC, Normalisation(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)))
    targets_NK = torch.softmax(torch.randn(len(clips_NTHWC), 5, generator=torch.Generator().manual_seed(0)), -1)
    numbers = np.arange(len(clips_NTHWC))
    module = GradeModule(build_model(config, 5), clips, targets_NK, config, seed=0, train_clips=numbers)
    module.trainer = SimpleNamespace(ckpt_path=None)
    module.on_fit_start()
    return module


def test_the_statistics_a_classifier_is_fitted_to_are_those_that_training_will_have(config_of):
    """Of clips that look unlike those of the pretraining, and unlike each other from the first to the last."""
    rng = np.random.default_rng(0)
    frames_NTHWC = rng.integers(0, 60, (48, 16, 64, 64, 3)) + np.linspace(0, 190, 48)[:, None, None, None, None]
    module = started(config_of, "none", frames_NTHWC.astype(np.uint8))
    norm = next(layer for layer in module.model.modules() if isinstance(layer, nn.BatchNorm3d))
    seen = []
    norm.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0].detach().transpose(0, 1).flatten(1)))
    with torch.no_grad():
        module.model.eval()(module.clips.batch(torch.arange(48), torch.device("cpu")))
    torch.testing.assert_close(norm.running_mean, seen[0].mean(1), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(norm.running_var, seen[0].var(1), rtol=0.25, atol=1e-3)  # batches of neighbours: a ninth


@pytest.mark.parametrize("frozen", ["batch_norm", "backbone"])
def test_frozen_statistics_stay(config_of, frozen):
    module = started(config_of, frozen, np.random.default_rng(0).integers(0, 60, (16, 16, 64, 64, 3), dtype=np.uint8))
    shipped = create_model("r3d", "tiny", pretrained="simulated").state_dict()
    kept = {name: value for name, value in module.model.state_dict().items() if "running" in name}
    assert kept and all(torch.equal(value, shipped[name]) for name, value in kept.items())


def test_features_that_know_nothing_are_not_fitted_to(config_of):
    with pytest.raises(UserError, match="model.recipe.classifier=fitted starts from what pretrained weights tell"):
        check_model(config_of("model=slowfast", "model.recipe.classifier=fitted"))
    with pytest.raises(UserError, match="classifier must be fresh or fitted, not 'ridge'"):
        check_model(config_of("model=slowfast", "model.recipe.classifier=ridge"))
