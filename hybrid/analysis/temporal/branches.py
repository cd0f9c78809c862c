"""Attention over time by the branch that it updates, with what the branch counts for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from baselines import ClipModel
from baselines.contract import Intermediates
from hybrid.analysis.measure import Matrix
from hybrid.analysis.subject import Clips, Subject
from hybrid.analysis.temporal.answers import in_batches
from hybrid.analysis.temporal.features import PATHWAYS


@dataclass(frozen=True)
class Branch:
    """One layer's attention, or of a layer with two pathways what one of them asks.

    weights: (B, sites, heads, Tq, Tk). query_Q, key_K: frames from the first. ratio_B: norm of the branch over the norm
    of what it is added to.
    """

    weights: Tensor
    query_Q: Tensor
    key_K: Tensor
    ratio_B: Tensor

    @property
    def apart_QK(self) -> Tensor:
        """Frames between query and key."""
        return (self.query_Q[:, None] - self.key_K[None, :]).abs()


def branches(model: ClipModel, inside: Intermediates) -> dict[str, Branch]:
    """By layer, 'blocks.0', or by pathway and layer, 'slow.res4', as update ratios are recorded."""
    found: dict[str, Branch] = {}
    for layer, attention in inside.attention.items():
        query_Q, key_K = (times * model.frame_rate for times in (attention.query_times, attention.key_times))
        names = [f"{pathway}.{layer}" for pathway in PATHWAYS if f"{pathway}.{layer}" in inside.update_ratio]
        if names:
            queries = [len(inside.features[name].times) for name in names]
            parts = zip(attention.weights.split(queries, dim=3), query_Q.split(queries), strict=True)
            for name, (weights, part_Q) in zip(names, parts, strict=True):
                found[name] = Branch(weights, part_Q, key_K, inside.update_ratio[name])
        else:
            kind = "joint" if layer in inside.joint_attention else "temporal"
            found[layer] = Branch(attention.weights, query_Q, key_K, inside.update_ratio[f"{layer}.{kind}"])
    return found


@dataclass(frozen=True, eq=False)
class Reading:
    """A number read off every map of a branch: value_Nh, what the uniform map gives, and ratio_N."""

    value_Nh: np.ndarray
    uniform: float
    ratio_N: np.ndarray


@torch.no_grad()
def read_maps(
    subject: Subject, clips: Clips, batch_size: int, title: str, read: Callable[[Tensor, Tensor], Tensor]
) -> dict[str, Reading]:
    """By branch, for maps (..., Tq, Tk) with frames apart (Tq, Tk): the mean of `read` over places and queries."""
    values: dict[str, list[Tensor]] = {}
    ratios: dict[str, list[Tensor]] = {}
    uniform: dict[str, float] = {}
    for clip_BCTHW in in_batches(subject, clips, batch_size, title):
        _, inside = subject.model.forward_intermediates(clip_BCTHW)
        for name, branch in branches(subject.model, inside).items():
            values.setdefault(name, []).append(read(branch.weights, branch.apart_QK).mean(dim=(1, 3)).cpu())
            ratios.setdefault(name, []).append(branch.ratio_B.cpu())
            even_QK = torch.full_like(branch.apart_QK, 1 / len(branch.key_K))
            uniform[name] = read(even_QK, branch.apart_QK).mean().item()
    return {
        name: Reading(torch.cat(values[name]).double().numpy(), uniform[name], torch.cat(ratios[name]).double().numpy())
        for name in values
    }


def of_model(readings: dict[str, Reading]) -> dict[str, np.ndarray]:
    """(N,) each: means over branches, weighted by update ratio, of the value and the uniform one; the mean ratio."""
    every = list(readings.values())
    ratio_BN = np.stack([reading.ratio_N for reading in every])
    total_N = ratio_BN.sum(axis=0)
    weight_BN = ratio_BN / np.where(total_N > 0, total_N, np.nan)
    return {
        "value": sum(
            weight_N * reading.value_Nh.mean(axis=1) for weight_N, reading in zip(weight_BN, every, strict=True)
        ),
        "uniform": sum(weight_N * reading.uniform for weight_N, reading in zip(weight_BN, every, strict=True)),
        "ratio": ratio_BN.mean(axis=0),
    }


def by_head(readings: dict[str, Reading], scale: float = 1.0) -> Matrix:
    """Branches against heads, means over clips; behind them the uniform map's number."""
    heads = max(reading.value_Nh.shape[1] for reading in readings.values())
    rows = [
        [*padded(reading.value_Nh.mean(axis=0) * scale, heads), reading.uniform * scale]
        for reading in readings.values()
    ]
    return Matrix(np.array(rows), tuple(readings), (*(f"head {head}" for head in range(heads)), "uniform"))


def update_ratios(readings: dict[str, Reading]) -> Matrix:
    """A row a branch, the mean over clips: what its maps are worth."""
    ratio_B1 = np.array([[reading.ratio_N.mean()] for reading in readings.values()])
    return Matrix(ratio_B1, tuple(readings), ("update ratio",))


def padded(value_h: np.ndarray, heads: int) -> np.ndarray:
    """With NaN for the heads that a layer does not have."""
    return np.pad(value_h, (0, heads - len(value_h)), constant_values=np.nan)


def attends_over_time(model: ClipModel) -> bool:
    """Found out on an empty clip, the smallest there is."""
    device = next((parameter.device for parameter in model.parameters()), "cpu")
    with torch.no_grad():
        _, inside = model.forward_intermediates(torch.zeros(1, model.in_channels, 8, 64, 64, device=device))
    return bool(inside.attention)
