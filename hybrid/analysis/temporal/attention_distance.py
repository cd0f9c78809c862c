"""Measure 10: how far in time attention looks, beside attention that looks everywhere alike."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.measure import Finding, Measure
from hybrid.analysis.subject import Clips, Subject
from hybrid.analysis.temporal.branches import attends_over_time, by_head, of_model, read_maps, update_ratios


@dataclass(frozen=True)
class AttentionDistance(Measure):
    """sum_u A[t, u] |t - u| in seconds, the mean over queries t and places, for each head of each layer.

    The distance of a model is the mean over its layers weighted by their update ratio, |branch| / |what it is added
    to|: a layer that adds nothing has a map too, and it means nothing. NaN where none adds anything. uniform: the same
    mean of the uniform map's distance, (T^2 - 1) / 3T = 5.3 frames of 16 where queries and keys are the clip's frames.
    ViViT's attention over space and time is summed over places and scaled to rows of 1, without the class token.
    """

    name = "attention_distance"
    title = "Attention distance"
    source = "Dosovitskiy et al.: An image is worth 16x16 words, ICLR 2021, figure 7; here in time"
    unit = "s"

    def applies_to(self, model: ClipModel) -> bool:
        return attends_over_time(model)

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return 1

    def measure(self, subject: Subject, clips: Clips, batch_size: int = 16) -> Finding:
        readings = read_maps(subject, clips, batch_size, self.title, distance)
        model = of_model(readings)
        return Finding(
            figures={
                "distance (s)": model["value"] / clips.frame_rate,
                "uniform (s)": model["uniform"] / clips.frame_rate,
                "update ratio": model["ratio"],
            },
            matrices={
                "distance (s)": by_head(readings, scale=1 / clips.frame_rate),
                "update ratio": update_ratios(readings),
            },
        )


def distance(weights: Tensor, apart_QK: Tensor) -> Tensor:
    """(..., Tq) frames."""
    return (weights * apart_QK).sum(dim=-1)
