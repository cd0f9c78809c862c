"""A classifier that starts from what the pretrained features below it already tell of the training clips.

From random numbers, a classifier needs many steps of a few hundred clips, and meanwhile its gradients disturb what lies
below. Here it is fitted first, by itself, on the features of the training clips as they are, without augmentation: the
softmax regression of least squared error to the panel's distributions, with a penalty on the weights of standardised
features. All then learns on from there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

PENALTY = 2e-5
"""for each feature there is, on the squared weights of standardised features, beside the mean squared error: what many
features say together is no surer than what a few do. Chosen on simulated clips of seeds that no result uses"""
FLAT = 0.01
STEPS = 100
"""of L-BFGS at most"""


def fit_classifier(linear: nn.Linear, features_ND: Tensor, targets_NK: Tensor) -> None:
    """Set the layer's weight and bias to those of least penalised error on these features (N, D) of all training clips.

    Features that are the same for all clips, to a FLAT part of what features are, get a weight of 0: what they still
    differ by is gone after a step of training, and would be made much of.
    """
    features_ND, targets_NK = features_ND.double(), targets_NK.double()
    mean_D, sd_D = features_ND.mean(0), features_ND.std(0)
    told_D = sd_D > FLAT * features_ND.square().mean().sqrt()
    standard_ND = torch.where(told_D, (features_ND - mean_D) / torch.where(told_D, sd_D, 1), 0)
    weight_KD = torch.zeros(targets_NK.shape[1], features_ND.shape[1], dtype=torch.float64, device=features_ND.device)
    bias_K = targets_NK.mean(0).clamp(min=1e-3).log()
    unknown = [weight_KD.requires_grad_(), bias_K.requires_grad_()]
    optimiser = torch.optim.LBFGS(unknown, max_iter=STEPS, line_search_fn="strong_wolfe")

    def penalised() -> Tensor:
        optimiser.zero_grad()
        error = ((standard_ND @ weight_KD.T + bias_K).softmax(-1) - targets_NK).square().mean()
        error = error + PENALTY * len(told_D) * weight_KD.square().sum()
        error.backward()
        return error

    optimiser.step(penalised)
    with torch.no_grad():
        scaled_KD = torch.where(told_D, weight_KD / torch.where(told_D, sd_D, 1), 0)
        linear.weight.copy_(scaled_KD)
        linear.bias.copy_(bias_K - scaled_KD @ mean_D)
