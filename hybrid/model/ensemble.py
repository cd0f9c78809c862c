"""The ensemble: SlowFast and TimeSformer grade by themselves, and their distributions are averaged. A control."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from baselines.registry import ModelEntry, get_entry, register
from hybrid.model.two_nets import TwoNets, build_two_nets


class MeanOfMembers(nn.Module):
    """Features of both, side by side -> the logarithm of the mean of the two distributions, (B, K).

    Trained together on the mean's error. An ensemble of networks trained apart is the mean of two runs' predictions,
    and needs no model.
    """

    def __init__(self, widths: tuple[int, int], num_grades: int):
        super().__init__()
        self.out_features = num_grades
        self.members = nn.ModuleList(nn.Linear(width, num_grades) for width in widths)
        for member in self.members:
            nn.init.normal_(member.weight, std=0.01)
            nn.init.zeros_(member.bias)

    def forward(self, pooled_BD: Tensor) -> Tensor:
        parts = pooled_BD.split([member.in_features for member in self.members], dim=1)
        answers = [member(part).float().log_softmax(-1) for member, part in zip(self.members, parts, strict=True)]
        return torch.stack(answers).logsumexp(0) - math.log(len(answers))


def build(size: str, *, matched: bool = True, **options) -> TwoNets:
    """matched, options: see `build_two_nets`."""
    return build_two_nets(size, MeanOfMembers, matched=matched, **options)


register(
    ModelEntry(
        name="ensemble",
        title="Ensemble",
        family="hybrid",
        build=build,
        reference="the mean of two networks' distributions, at the hybrid's cost",
        origin="hybrid.model, on our SlowFast and TimeSformer",
        licence="code Apache-2.0; official SlowFast weights Apache-2.0 (pytorchvideo)",
        mean=get_entry("slowfast").mean,
        std=get_entry("slowfast").std,
        tiny="SlowFast's tiny size, with a TimeSformer of 2 layers and width 18",
        parameters=36_151_826,
        control=True,
    )
)
