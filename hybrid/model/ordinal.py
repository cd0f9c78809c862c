"""Grades as intervals of one scale: the classifier that knows their order."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, softplus


class OrdinalClassifier(nn.Module):
    """Features (B, D) -> logits (B, K) whose softmax is a cumulative-link distribution.

    A clip has a place on the scale and a spread; K - 1 rising thresholds cut the scale into grades:
    P(grade <= k) = sigmoid((threshold_k - place) / spread). McCullagh, Regression models for ordinal data, 1980,
    with a spread of each clip's own, since panels agree on some clips and not on others. The logits are the
    logarithms of the probabilities, so that softmax gives these back. At first all grades are equally likely.
    """

    def __init__(self, in_features: int, num_grades: int):
        super().__init__()
        self.in_features, self.out_features = in_features, num_grades
        self.place_and_spread = nn.Linear(in_features, 2)
        threshold_K1 = torch.logit(torch.arange(1, num_grades) / num_grades)
        self.first = nn.Parameter(threshold_K1[:1].clone())
        self.rise = nn.Parameter(threshold_K1.diff().expm1().log())  # through softplus, so that they always rise
        nn.init.normal_(self.place_and_spread.weight, std=0.01)
        nn.init.zeros_(self.place_and_spread.bias)

    @property
    def threshold_K1(self) -> Tensor:
        return torch.cat([self.first, self.first + softplus(self.rise).cumsum(0)])

    def forward(self, pooled_BD: Tensor) -> Tensor:
        place_B1, log_spread_B1 = self.place_and_spread(pooled_BD).float().split(1, dim=-1)
        with torch.autocast(pooled_BD.device.type, enabled=False):
            z_BK1 = (self.threshold_K1.float() - place_B1) * (-log_spread_B1).exp()
            # log(sigmoid(b) - sigmoid(a)) = log sigmoid(b) + log sigmoid(-a) + log(1 - exp(a - b)), for any a < b
            apart = torch.log(-torch.expm1(-(z_BK1[:, 1:] - z_BK1[:, :-1]).clamp_min(1e-6)))
            lowest, highest = logsigmoid(z_BK1[:, :1]), logsigmoid(-z_BK1[:, -1:])
            between = logsigmoid(z_BK1[:, 1:]) + logsigmoid(-z_BK1[:, :-1]) + apart
            return torch.cat([lowest, between, highest], dim=-1)
