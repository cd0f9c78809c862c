"""A pretrained model in one file, which `create_model(..., pretrained=<path>)` of the same model loads."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from hybrid.pretraining.module import PretrainModule
from hybrid.training.checkpoint import save_tensors

FORMAT = "sperm-video-hybrid pretraining 1"


def save_pretrained(path: Path, module: PretrainModule, about: dict[str, Any]) -> None:
    """Write tensors and plain values alone: the model without its classifier, and what read the attributes off it.

    The classifier has learned nothing; left out, it starts anew wherever the file is loaded. about: plain values.
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
        },
    )
