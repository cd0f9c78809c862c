"""What a model's last stage holds of each moment, with the moment's place among the clip's frames."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from baselines import ClipModel
from baselines.contract import Intermediates

PATHWAYS = ("slow", "fast")


@dataclass(frozen=True)
class Steps:
    """h_BDS: features of S steps in time, the mean over space. frame_S: where each is, in frames from the first."""

    h_BDS: Tensor
    frame_S: Tensor


def pathway_of(stage: str) -> str:
    """'slow' of 'slow.res4'; '' of a model with one pathway."""
    first = stage.partition(".")[0]
    return first if first in PATHWAYS else ""


def pooled(model: ClipModel, inside: Intermediates) -> dict[str, Steps]:
    """The features of every stage, averaged over space alone."""
    return {
        stage: Steps(features.x_BCTHW.float().mean(dim=(3, 4)), features.times * model.frame_rate)
        for stage, features in inside.features.items()
    }


def final(model: ClipModel, inside: Intermediates) -> dict[str, Steps]:
    """Of the last stage, by pathway; the name is '' in models that have but one.

    Every step's pooled features and not the class token, which belongs to no moment.
    """
    return {pathway_of(stage): steps for stage, steps in pooled(model, inside).items()}
