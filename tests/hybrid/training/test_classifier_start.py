"""A fitted classifier is the least-error one, whatever the scale of its features, and a continued run keeps its own."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import nn

from hybrid import create_model, list_models
from hybrid.errors import UserError
from hybrid.training.build import check_model
from hybrid.training.classifier_start import PENALTY, fit_classifier


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


def test_features_that_know_nothing_are_not_fitted_to(config_of):
    with pytest.raises(UserError, match="model.recipe.classifier=fitted starts from what pretrained weights tell"):
        check_model(config_of("model=slowfast", "model.recipe.classifier=fitted"))
    with pytest.raises(UserError, match="classifier must be fresh or fitted, not 'ridge'"):
        check_model(config_of("model=slowfast", "model.recipe.classifier=ridge"))
