"""Measure 11: how evenly attention spreads over time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.measure import Finding, Measure
from hybrid.analysis.subject import Clips, Subject
from hybrid.analysis.temporal.branches import attends_over_time, by_head, of_model, read_maps


@dataclass(frozen=True)
class AttentionEntropy(Measure):
    """-sum_u A[t, u] log A[t, u] / log T of T keys, the mean over queries t and places, for each head of each layer.

    1: all moments alike; 0: one moment alone. A high entropy may mean that a layer gathers everything or that it is not
    used: the layers of a model are weighted by their update ratio, as in `attention_distance`.
    """

    name = "attention_entropy"
    title = "Attention entropy"
    source = "Shannon 1948; as a measure of attention Clark et al.: What does BERT look at?, 2019"
    unit = ""

    def applies_to(self, model: ClipModel) -> bool:
        return attends_over_time(model)

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return 1

    def measure(self, subject: Subject, clips: Clips, batch_size: int = 16) -> Finding:
        readings = read_maps(subject, clips, batch_size, self.title, entropy)
        model = of_model(readings)
        return Finding(
            figures={"entropy": model["value"], "update ratio": model["ratio"]},
            matrices={"entropy": by_head(readings)},
        )


def entropy(weights: Tensor, apart_QK: Tensor) -> Tensor:
    """(..., Tq), of log T."""
    return torch.special.entr(weights).sum(dim=-1) / math.log(weights.shape[-1])
