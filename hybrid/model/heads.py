"""What may stand in the place of the mean over space and time, and of the linear classifier."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, softplus


class AttentivePooling(nn.Module):
    """A pooling that may look at some moments and places more than at others.

    pooled + gate * (weighted mean - plain mean), with a gate a channel that is zero at first.

    The weights of a head are a softmax over all T H W positions of a linear score of the normalised features,
    and each head pools its own share of the channels. The gate is the only zero factor: at first the result is the
    plain mean to the last bit. Few parameters, channels * (heads + 3) + heads, as a small data set asks for.
    Pooling by learned weights after Ilse et al., Attention-based deep multiple instance learning, 2018, eq. 7-8.
    """

    def __init__(self, channels: int, heads: int):
        super().__init__()
        if channels % heads:
            raise ValueError(f"channels must be a multiple of heads, not {channels} of {heads}")
        self.norm = nn.LayerNorm(channels)
        self.score = nn.Linear(channels, heads)
        self.gate_C = nn.Parameter(torch.zeros(channels))
        nn.init.trunc_normal_(self.score.weight, std=channels**-0.5)
        nn.init.zeros_(self.score.bias)

    def forward(self, x_BCTHW: Tensor, pooled_BC: Tensor) -> Tensor:
        """pooled_BC: the plain mean of x_BCTHW over T H W, as the rest of the model computes it."""
        x_BNC = rearrange(x_BCTHW, "b c t h w -> b (t h w) c")
        weight_BNh = self.score(self.norm(x_BNC)).float().softmax(dim=1).to(x_BNC.dtype)
        x_BNhD = rearrange(x_BNC, "b n (h d) -> b n h d", h=weight_BNh.shape[-1])
        weighted_BC = rearrange(torch.einsum("bnh,bnhd->bhd", weight_BNh, x_BNhD), "b h d -> b (h d)")
        return pooled_BC + self.gate_C * (weighted_BC - pooled_BC)


class OrdinalClassifier(nn.Module):
    """Features (B, D) -> logits (B, K) whose softmax is a cumulative-link distribution: it knows the grades' order.

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

    def input_layers(self) -> list[tuple[Tensor, Tensor]]:
        return [(self.place_and_spread.weight, self.place_and_spread.bias)]
