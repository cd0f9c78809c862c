"""Attention Rollout in time alone: what reaches each frame from each other through all layers (measure 12)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from baselines import ClipModel
from baselines.contract import Intermediates
from baselines.frame import FrameModel
from hybrid.analysis.attributions.grad_cam import PATHWAYS
from hybrid.analysis.measure import Curve, Finding, Matrix, Measure
from hybrid.analysis.relevance.maps import clip_batches
from hybrid.analysis.subject import Clips, Subject
from hybrid.model.hybrid import Hybrid


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
    unit = "s"

    def applies_to(self, model: ClipModel) -> bool:
        if isinstance(model, Hybrid):
            return len(model.temporal_layers) > 0
        return model.class_token and not isinstance(model, FrameModel)

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return 1

    @torch.no_grad()
    def measure(self, subject: Subject, clips: Clips, batch_size: int = 16) -> Finding:
        R = []
        for clip_BCTHW in clip_batches(subject, clips, batch_size, self.name):
            _, inside = subject.model.forward_intermediates(clip_BCTHW)
            R.append(rollout_in_time(subject.model, inside).double().cpu())
        R_NTT = torch.cat(R).numpy()
        names, times_T = tokens(subject.model, inside)
        apart_TT = np.abs(times_T[:, None] - times_T[None, :])
        return Finding(
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
    R_BTT = None
    layers = model.temporal_layers if isinstance(model, Hybrid) else list(inside.attention)
    for layer in layers:
        A_BQK = inside.attention[layer].weights.mean(dim=(1, 2))
        step_BTT = mixed(model, inside, layer, A_BQK)
        R_BTT = step_BTT if R_BTT is None else step_BTT @ R_BTT
    return R_BTT


def mixed(model: ClipModel, inside: Intermediates, layer: str, A_BQK: Tensor) -> Tensor:
    """(1 - w) I + w A on all tokens of a place; those that do not ask stay as they are."""
    if not isinstance(model, Hybrid):
        recorded = [f"{layer}.{kind}" for kind in ("temporal", "joint") if f"{layer}.{kind}" in inside.update_ratio]
        w_B11 = share_of_update(inside.update_ratio[recorded[0]])
        return (1 - w_B11) * torch.eye(A_BQK.shape[-1]).to(A_BQK) + w_B11 * A_BQK
    visibility, place = model.temporal[layer].visibility, pathway_places(inside)
    key_K = torch.cat([place[pathway] for pathway in visibility.read])
    whole_BTT = torch.eye(sum(map(len, place.values()))).to(A_BQK).repeat(len(A_BQK), 1, 1)
    queries = [len(place[pathway]) for pathway in visibility.asking]
    for pathway, A_BPK in zip(visibility.asking, A_BQK.split(queries, dim=1), strict=True):
        w_B11 = share_of_update(inside.update_ratio[f"{pathway}.{layer}"])
        row_BPT = (1 - w_B11) * whole_BTT[:, place[pathway]]
        row_BPT[:, :, key_K] += w_B11 * A_BPK
        whole_BTT[:, place[pathway]] = row_BPT
    return whole_BTT


def share_of_update(ratio_B: Tensor) -> Tensor:
    """(B, 1, 1): w of the norm of the update over the norm of what it is added to."""
    return (ratio_B / (1 + ratio_B))[:, None, None]


def pathway_places(inside: Intermediates) -> dict[str, Tensor]:
    """Numbers of each pathway's tokens among those of a place, Slow's before Fast's."""
    places, start = {}, 0
    for pathway in PATHWAYS:
        steps = len(inside.features[f"{pathway}.res5"].times)
        places[pathway], start = torch.arange(start, start + steps), start + steps
    return places


def tokens(model: ClipModel, inside: Intermediates) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and times in seconds of the tokens of a place."""
    if not isinstance(model, Hybrid):
        times_T = next(iter(inside.attention.values())).key_times.double().cpu().numpy()
        return tuple(f"{time:.3f} s" for time in times_T), times_T
    times = {pathway: inside.features[f"{pathway}.res5"].times.double().cpu().numpy() for pathway in PATHWAYS}
    names = tuple(f"{pathway} {time:.3f} s" for pathway in PATHWAYS for time in times[pathway])
    return names, np.concatenate(list(times.values()))


def by_lag(R_NTT: np.ndarray, apart_TT: np.ndarray) -> Curve:
    """Mean over rows of what comes from all tokens so far away, which sums to 1 over the lags."""
    lags_X = np.unique(apart_TT.round(6))
    y_NX = np.stack([(R_NTT * np.isclose(apart_TT, lag)).sum(axis=2).mean(axis=1) for lag in lags_X], axis=1)
    return Curve(lags_X, y_NX, "lag (s)", "share of rollout")
