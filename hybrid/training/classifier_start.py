"""A classifier that starts from what the pretrained features below it already tell of the training clips.

From random numbers, a classifier needs many steps of a few hundred clips, and meanwhile its gradients disturb what lies
below. Here it is fitted first, by itself, on the features of the training clips as they are, without augmentation: to
the least squared error to the panel's distributions, with a penalty on the weights of standardised features. Of a
linear classifier that is a softmax regression. All then learns on from there.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

PENALTY = 2e-5
"""for each feature there is, on the squared weights of standardised features, beside the mean squared error: what many
features say together is no surer than what a few do. Chosen on simulated clips of seeds that no result uses"""
FLAT = 0.01
STEPS = 100
"""of L-BFGS at most"""


def fit_classifier(classifier: nn.Module, features_ND: Tensor, targets_NK: Tensor) -> None:
    """Set what is in a model's classifier to what has the least penalised error on these features (N, D) of all
    training clips.

    Features that are the same for all clips, to a FLAT part of what features are, get a weight of 0: what they still
    differ by is gone after a step of training, and would be made much of.
    """
    features_ND, targets_NK = features_ND.double(), targets_NK.double()
    mean_D, sd_D = features_ND.mean(0), features_ND.std(0)
    told_D = sd_D > FLAT * features_ND.square().mean().sqrt()
    sd_D = torch.where(told_D, sd_D, 1)
    standard_ND = torch.where(told_D, (features_ND - mean_D) / sd_D, 0)
    fitted = deepcopy(classifier).double().requires_grad_()
    with torch.no_grad():
        for weight_XD, _ in input_layers(fitted):
            weight_XD.zero_()
    optimiser = torch.optim.LBFGS(fitted.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def penalised() -> Tensor:
        optimiser.zero_grad()
        error = (fitted(standard_ND).softmax(-1) - targets_NK).square().mean()
        error = error + PENALTY * len(told_D) * sum(weight_XD.square().sum() for weight_XD, _ in input_layers(fitted))
        error.backward()
        return error

    optimiser.step(penalised)
    with torch.no_grad():  # as the same layers on features as they are
        layers = input_layers(fitted)
        widths = [weight_XD.shape[1] for weight_XD, _ in layers]
        for (weight_XD, bias_X), mean, sd in zip(layers, mean_D.split(widths), sd_D.split(widths), strict=True):
            weight_XD.div_(sd)
            bias_X.sub_(weight_XD @ mean)
    classifier.load_state_dict(fitted.state_dict())


def input_layers(classifier: nn.Module) -> list[tuple[Tensor, Tensor]]:
    """Weights (X, D) and biases (X,) of the layers that see the features: one, or several of a share each."""
    return [(classifier.weight, classifier.bias)] if isinstance(classifier, nn.Linear) else classifier.input_layers()
