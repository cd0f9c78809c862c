"""Attention over time: how far it looks, how evenly it spreads, and what it passes on through all layers.

These measures are for models that have such attention. A layer's attention counts by its update ratio, the norm of what
the layer adds over the norm of what it is added to: a layer that adds nothing has attention weights too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from baselines import ClipModel
from baselines.contract import Intermediates, TemporalAttention
from hybrid.analysis.base import Curve, InputClips, Matrix, Measure, MeasureResult, ModelUnderTest
from hybrid.analysis.measures.batching import in_batches


class OfEveryLayer(Measure):
    # No docstring, for the page shows those of all the classes that a measure extends.
    def applies_to(self, model: ClipModel) -> bool:
        """Found out on an empty clip, the smallest there is."""
        device = next((parameter.device for parameter in model.parameters()), "cpu")
        with torch.no_grad():
            _, inside = model.forward_intermediates(torch.zeros(1, model.in_channels, 8, 64, 64, device=device))
        return bool(inside.attention)


class AttentionDistance(OfEveryLayer):
    """sum_u A[t, u] |t - u| in seconds, the mean over queries t and places, for each head of each layer.

    The distance of a model is the mean over its layers weighted by their update ratio, |branch| / |what it is added
    to|: a layer that adds nothing has a map too, and it means nothing. NaN where none adds anything. uniform: the same
    mean of the uniform map's distance, (T^2 - 1) / 3T = 5.3 frames of 16 where queries and keys are the clip's frames.
    ViViT's attention over space and time is summed over places and scaled to rows of 1, without the class token.
    """

    name = "attention_distance"
    title = "Attention distance"
    source = "Dosovitskiy et al.: An image is worth 16x16 words, ICLR 2021, figure 7; here in time"

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        readings = read_maps(tested, clips, batch_size, self.title, distance)
        distance_N, uniform_N, ratio_N = of_model(readings)
        return MeasureResult(
            figures={
                "distance (s)": distance_N / clips.frame_rate,
                "uniform (s)": uniform_N / clips.frame_rate,
                "update ratio": ratio_N,
            },
            matrices={
                "distance (s)": by_head(readings, scale=1 / clips.frame_rate),
                "update ratio": Matrix(
                    np.array([[reading.ratio_N.mean()] for reading in readings.values()]),
                    tuple(readings),
                    ("update ratio",),
                ),
            },
        )


def distance(weights: Tensor, apart_QK: Tensor) -> Tensor:
    """(..., Tq) frames."""
    return (weights * apart_QK).sum(dim=-1)


class AttentionEntropy(OfEveryLayer):
    """-sum_u A[t, u] log A[t, u] / log T of T keys, the mean over queries t and places, for each head of each layer.

    1: all moments alike; 0: one moment alone. A high entropy may mean that a layer gathers everything or that it is not
    used: the layers of a model are weighted by their update ratio, as for the distance of attention.
    """

    name = "attention_entropy"
    title = "Attention entropy"
    source = "Shannon 1948; as a measure of attention Clark et al.: What does BERT look at?, 2019"

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        readings = read_maps(tested, clips, batch_size, self.title, entropy)
        entropy_N, _, ratio_N = of_model(readings)
        return MeasureResult(
            figures={"entropy": entropy_N, "update ratio": ratio_N},
            matrices={"entropy": by_head(readings)},
        )


def entropy(weights: Tensor, apart_QK: Tensor) -> Tensor:
    """(..., Tq), of log T."""
    return torch.special.entr(weights).sum(dim=-1) / math.log(weights.shape[-1])


@dataclass(frozen=True)
class Branch:
    """One layer's attention, or of a layer with several pathways that of one pathway's queries.

    weights: (B, sites, heads, Tq, Tk). query_Q, key_K: frames from the first. ratio_B: norm of the branch over the norm
    of what it is added to.
    """

    weights: Tensor
    query_Q: Tensor
    key_K: Tensor
    ratio_B: Tensor


def branches(model: ClipModel, inside: Intermediates) -> dict[str, Branch]:
    """By layer, 'blocks.0', or by pathway and layer, 'slow.res4'."""
    found: dict[str, Branch] = {}
    for layer, attention in inside.attention.items():
        query_Q, key_K = (times * model.frame_rate for times in (attention.query_times, attention.key_times))
        queries = list(attention.query_pathways.values())
        parts = zip(attention.weights.split(queries, dim=3), query_Q.split(queries), strict=True)
        for pathway, (weights, part_Q) in zip(attention.query_pathways, parts, strict=True):
            name = f"{pathway}.{layer}" if pathway else layer
            found[name] = Branch(weights, part_Q, key_K, attention.update_ratio[pathway])
    return found


@dataclass(frozen=True, eq=False)
class Reading:
    """A number read off every map of a branch: value_Nh, what the uniform map gives, and ratio_N."""

    value_Nh: np.ndarray
    uniform: float
    ratio_N: np.ndarray


@torch.no_grad()
def read_maps(
    tested: ModelUnderTest, clips: InputClips, batch_size: int, title: str, read: Callable[[Tensor, Tensor], Tensor]
) -> dict[str, Reading]:
    """By branch, for maps (..., Tq, Tk) with frames apart (Tq, Tk): the mean of `read` over places and queries."""
    values: dict[str, list[Tensor]] = {}
    ratios: dict[str, list[Tensor]] = {}
    uniform: dict[str, float] = {}
    for clip_BCTHW in in_batches(tested, clips, batch_size, title):
        _, inside = tested.model.forward_intermediates(clip_BCTHW)
        for name, branch in branches(tested.model, inside).items():
            apart_QK = (branch.query_Q[:, None] - branch.key_K[None, :]).abs()  # frames
            values.setdefault(name, []).append(read(branch.weights, apart_QK).mean(dim=(1, 3)).cpu())
            ratios.setdefault(name, []).append(branch.ratio_B.cpu())
            even_QK = torch.full_like(apart_QK, 1 / len(branch.key_K))
            uniform[name] = read(even_QK, apart_QK).mean().item()
    return {
        name: Reading(torch.cat(values[name]).double().numpy(), uniform[name], torch.cat(ratios[name]).double().numpy())
        for name in values
    }


def of_model(readings: dict[str, Reading]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N,) each: means over branches, weighted by update ratio, of the value and the uniform one; the mean ratio."""
    every = readings.values()
    ratio_BN = np.stack([reading.ratio_N for reading in every])
    total_N = ratio_BN.sum(axis=0)
    weight_BN = ratio_BN / np.where(total_N > 0, total_N, np.nan)
    value_BN = np.stack([reading.value_Nh.mean(axis=1) for reading in every])
    uniform_B1 = np.array([[reading.uniform] for reading in every])
    return (weight_BN * value_BN).sum(axis=0), (weight_BN * uniform_B1).sum(axis=0), ratio_BN.mean(axis=0)


def by_head(readings: dict[str, Reading], scale: float = 1.0) -> Matrix:
    """Branches against heads, means over clips; behind them the uniform map's number."""
    value_Bh = pd.DataFrame([(reading.value_Nh.mean(axis=0) * scale).tolist() for reading in readings.values()])
    heads = tuple(f"head {head}" for head in value_Bh)  # NaN for those that a layer does not have
    value_Bh["uniform"] = [reading.uniform * scale for reading in readings.values()]
    return Matrix(value_Bh.to_numpy(), tuple(readings), (*heads, "uniform"))


class TemporalRollout(Measure):
    """R = product over layers of (1 - w) I + w A, with A the attention over time, mean over heads and places.

    w = r / (1 + r), r what the layer's branch adds over what it is added to. Rows are the tokens of one place after all
    layers, columns before them. It starts from patches: TimeSformer's class token takes no part in attention over time.
    Places are averaged layer by layer, since what lies between the layers mixes them.

    distance: mean over rows of sum R[t, u] |t - u|; from 0 where nothing is moved to `uniform distance`, that of a map
    that gives the same to all. own: mean of the diagonal, what stays where it is.
    """

    name = "temporal_rollout"
    title = "Attention Rollout in time"
    source = "S. Abnar, W. Zuidema: Quantifying Attention Flow in Transformers, ACL 2020; residuals measured"

    def applies_to(self, model: ClipModel) -> bool:
        return len(model.temporal_layers) > 0

    @torch.no_grad()
    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        R = []
        for clip_BCTHW in in_batches(tested, clips, batch_size, self.title):
            _, inside = tested.model.forward_intermediates(clip_BCTHW)
            R.append(rollout_in_time(tested.model, inside).double().cpu())
        R_NTT = torch.cat(R).numpy()
        names, times_T = tokens(inside)
        apart_TT = np.abs(times_T[:, None] - times_T[None, :])
        return MeasureResult(
            figures={
                "distance (s)": (R_NTT * apart_TT).sum(axis=2).mean(axis=1),
                "uniform distance (s)": np.full(len(R_NTT), apart_TT.mean()),
                "own": np.trace(R_NTT, axis1=1, axis2=2) / len(times_T),
            },
            curves={"by lag": by_lag(R_NTT, apart_TT)},
            matrices={"rollout": Matrix(R_NTT.mean(axis=0), names, names)},
        )


def rollout_in_time(model: ClipModel, inside: Intermediates) -> Tensor:
    """(B, T, T) over the tokens of one place."""
    place = pathway_places(inside)
    steps = [mixed(inside.attention[layer], place) for layer in model.temporal_layers]
    return reduce(lambda R_BTT, step_BTT: step_BTT @ R_BTT, steps)


def mixed(attention: TemporalAttention, place: dict[str, Tensor]) -> Tensor:
    """(1 - w) I + w A on all tokens of a place; tokens that are no queries stay as they are."""
    A_BQK = attention.weights.mean(dim=(1, 2))
    key_K = torch.cat([place[pathway] for pathway in attention.key_pathways])
    whole_BTT = torch.eye(sum(map(len, place.values()))).to(A_BQK).repeat(len(A_BQK), 1, 1)
    queries = list(attention.query_pathways.values())
    for pathway, A_BPK in zip(attention.query_pathways, A_BQK.split(queries, dim=1), strict=True):
        ratio_B = attention.update_ratio[pathway]
        w_B11 = (ratio_B / (1 + ratio_B))[:, None, None]
        row_BPT = (1 - w_B11) * whole_BTT[:, place[pathway]]
        row_BPT[:, :, key_K] += w_B11 * A_BPK
        whole_BTT[:, place[pathway]] = row_BPT
    return whole_BTT


def pathway_times(inside: Intermediates) -> dict[str, Tensor]:
    """Seconds of each pathway's tokens at one place; '' in models with but one pathway."""
    return {stage.pathway: stage.times for stage in inside.features.values()}


def pathway_places(inside: Intermediates) -> dict[str, Tensor]:
    """Numbers of each pathway's tokens among those of a place, one pathway after the other."""
    times = pathway_times(inside)
    steps = [len(times_S) for times_S in times.values()]
    return dict(zip(times, torch.arange(sum(steps)).split(steps), strict=True))


def tokens(inside: Intermediates) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and times in seconds of the tokens of a place."""
    times = pathway_times(inside)
    names = tuple(f"{pathway} {second:.3f} s".lstrip() for pathway in times for second in times[pathway].tolist())
    return names, torch.cat(list(times.values())).double().cpu().numpy()


def by_lag(R_NTT: np.ndarray, apart_TT: np.ndarray) -> Curve:
    """Mean over rows of what comes from all tokens so far away, which sums to 1 over the lags."""
    lags_X = np.unique(apart_TT.round(6))
    y_NX = np.stack([(R_NTT * np.isclose(apart_TT, lag)).sum(axis=2).mean(axis=1) for lag in lags_X], axis=1)
    return Curve(lags_X, y_NX, "lag (s)", "share of rollout")
