"""A pretrained model in one file, which `create_model(..., pretrained=<path>)` of the same model loads."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from hybrid.pretraining.module import PretrainModule
from hybrid.training.checkpoint import FRESH, TrainedOn, save_tensors

FORMAT = "sperm-video-hybrid pretraining 1"


def save_pretrained(path: Path, module: PretrainModule, about: dict[str, Any], start: TrainedOn = FRESH) -> None:
    """Write tensors and plain values alone: the model without its classifier, and what read the attributes off it.

    The classifier has learned nothing; left out, it starts anew wherever the file is loaded. about: plain values.
    start: what the weights that the pretraining began with had learned from; it adds no clips that a data set has.
    """
    model, objective = module.model, module.objective
    weights = {key: value for key, value in model.state_dict().items() if not key.startswith(f"{model.classifier}.")}
    save_tensors(
        path,
        {
            "format": FORMAT,
            "model": weights,
            "reader": module.reader.state_dict(),
            "attributes": asdict(objective.attributes),
            "scale": objective.scale.plain(),
            "about": about,
            "trained_on": asdict(start),
        },
    )
