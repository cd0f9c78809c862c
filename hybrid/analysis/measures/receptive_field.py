"""Temporal receptive field: from how far in time, and from how many frames, the last features are computed."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from einops import reduce
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.base import Curve, InputClips, Matrix, Measure, MeasureResult, ModelUnderTest
from hybrid.analysis.measures.batching import Steps, in_batches, pooled

REACH = 0.95
"""share of a pathway's influence that lies within its reach"""


@dataclass(frozen=True)
class ReceptiveField(Measure):
    """G[s, t] = |d h_s / d x_t|, h_s the last features of step s averaged over space, x_t frame t.

    distance: sum G |s - t| / sum G. effective frames: 1 / sum_t g^2 of each step's row g = G / sum_t G, their mean
    with the rows' sums as weights. reach: the lag within which 95 % of sum G lies.
    With two pathways the steps of each count as the head counts them, by 1 / (steps of the pathway), and each also has
    figures of its own. slow beyond fast: the share of Slow's influence that comes from beyond Fast's reach, and so
    through Slow alone.

    A step that stands between frames (a tubelet of 2 frames, frames pooled in pairs) is nowhere nearer than half a
    frame to any, so distances count from its nearest frames: convolutions of one step in time give 0.
    The norm is Frobenius', estimated from `projections` random signs r as the mean of |r h_s / d x_t|^2, which is
    unbiased (Hutchinson 1990).
    """

    name = "receptive_field"
    title = "Temporal effective receptive field"
    source = "Luo et al.: Understanding the effective receptive field in deep CNNs, NeurIPS 2016; in time"

    projections: int = 2

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return 1 + 2 * self.projections * num_frames * 1.25  # a quarter for Slow's steps, where there are any

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        parts: dict[str, list[np.ndarray]] = {}
        places: dict[str, np.ndarray] = {}
        for clip_BCTHW in in_batches(tested, clips, batch_size, self.title):
            clip_BCTHW = clip_BCTHW.detach().requires_grad_()
            _, inside = tested.model.forward_intermediates(clip_BCTHW)
            # The last stage of each pathway; and not the class token, which belongs to no moment.
            last = {steps.pathway: steps for steps in pooled(tested.model, inside).values()}
            for pathway, steps in last.items():
                parts.setdefault(pathway, []).append(self.influence(steps, clip_BCTHW))
                places[pathway] = steps.frame_S.cpu().numpy()
        fields = {
            pathway: Field.of_pathway(np.concatenate(parts[pathway]), places[pathway], clips.frame_rate)
            for pathway in parts
        }
        return result_of(fields)

    def influence(self, steps: Steps, clip_BCTHW: Tensor) -> np.ndarray:
        """G, (B, S, T)."""
        generator = torch.Generator().manual_seed(0)
        sign_RD = torch.randint(0, 2, (self.projections, steps.h_BDS.shape[1]), generator=generator) * 2.0 - 1
        squares = []
        for step in range(steps.h_BDS.shape[2]):
            h_BR = steps.h_BDS[:, :, step] @ sign_RD.to(steps.h_BDS).T
            gradients = [torch.autograd.grad(h_B.sum(), clip_BCTHW, retain_graph=True)[0] for h_B in h_BR.unbind(dim=1)]
            squares.append(sum(reduce(g.square(), "b c t h w -> b t", "sum") for g in gradients) / self.projections)
        return torch.stack(squares, dim=1).sqrt().double().cpu().numpy()


@dataclass(frozen=True, eq=False)
class Field:
    """Influence G_NST of T frames on S steps, and how many frames apart they are."""

    G_NST: np.ndarray
    apart_ST: np.ndarray
    frame_rate: float

    @classmethod
    def of_pathway(cls, G_NST: np.ndarray, frame_S: np.ndarray, frame_rate: float) -> Self:
        """Steps at these places among the frames, weighted as the head does that averages over them."""
        apart_ST = np.abs(frame_S[:, None] - np.arange(G_NST.shape[2]))
        return cls(G_NST / len(frame_S), apart_ST - apart_ST.min(axis=1, keepdims=True), frame_rate)

    @classmethod
    def joined(cls, fields: list[Self]) -> Self:
        """The steps of several pathways one after the other."""
        G_NST = np.concatenate([field.G_NST for field in fields], axis=1)
        return cls(G_NST, np.concatenate([field.apart_ST for field in fields]), fields[0].frame_rate)

    def by_lag(self, combine=np.sum) -> np.ndarray:
        """(N, T): the influence at 0, 1, ... T - 1 frames' distance; 0 where no step has a frame at that distance."""
        lag_ST = self.apart_ST.round().astype(int)
        at_lag = [self.G_NST[:, lag_ST == lag] for lag in range(lag_ST.shape[1])]
        return np.stack([combine(G, axis=1) if G.size else np.zeros(len(G)) for G in at_lag], axis=1)

    def cumulative(self) -> np.ndarray:
        """(N, T): share of the influence from within 0, 1, ... T - 1 frames."""
        return self.by_lag().cumsum(axis=1) / self.G_NST.sum(axis=(1, 2))[:, None]

    def reach(self) -> np.ndarray:
        """(N,) frames."""
        return (self.cumulative() < REACH).sum(axis=1)

    def figures(self) -> dict[str, np.ndarray]:
        total_N, row_NS, square_NS = self.G_NST.sum(axis=(1, 2)), self.G_NST.sum(axis=2), (self.G_NST**2).sum(axis=2)
        frames_NS = np.divide(row_NS**2, square_NS, out=np.zeros_like(row_NS), where=square_NS > 0)
        return {
            "distance (s)": (self.G_NST * self.apart_ST).sum(axis=(1, 2)) / total_N / self.frame_rate,
            "effective frames": (frames_NS * row_NS).sum(axis=1) / total_N,
            "reach (s)": self.reach() / self.frame_rate,
        }


def result_of(fields: dict[str, Field]) -> MeasureResult:
    """Figures and pictures of a model with these pathways."""
    model = Field.joined(list(fields.values()))
    figures = model.figures()
    if len(fields) > 1:
        for pathway, field in fields.items():
            figures |= {f"{pathway} {name}": figure_N for name, figure_N in field.figures().items()}
        slow, reach_N1 = fields["slow"].cumulative(), fields["fast"].reach()[:, None]
        figures["slow beyond fast"] = 1 - np.take_along_axis(slow, reach_N1, axis=1)[:, 0]

    second_T = np.arange(model.G_NST.shape[2]) / model.frame_rate
    near_NT, frame_NT = model.by_lag(np.mean), model.G_NST.sum(axis=1)
    label = "share of influence"
    curves = {
        "by lag": Curve(second_T, near_NT / near_NT.sum(axis=1, keepdims=True), "distance (s)", f"{label}, a frame"),
        "frames": Curve(second_T, frame_NT / frame_NT.sum(axis=1, keepdims=True), "frame (s)", label),
    }
    frames = tuple(str(t) for t in range(model.G_NST.shape[2]))
    matrices = {}
    for pathway, field in fields.items():
        share_NST = field.G_NST / field.G_NST.sum(axis=(1, 2), keepdims=True)
        steps = tuple(str(s) for s in range(share_NST.shape[1]))
        matrices[pathway or "field"] = Matrix(share_NST.mean(axis=0), steps, frames)
    return MeasureResult(figures=figures, curves=curves, matrices=matrices)
