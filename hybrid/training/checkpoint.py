"""A trained model in one file: its weights, and plain values that say how to rebuild and feed it."""

from __future__ import annotations

import io
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from baselines import ClipModel
from hybrid import create_model
from hybrid.data.clip import ClipSpec
from hybrid.data.normalisation import Normalisation
from hybrid.errors import UserError
from hybrid.files import whole_file

FORMAT = "sperm-video-hybrid model 2"


@dataclass
class TrainedModel:
    """A model with what it takes to use it on a new clip."""

    model: ClipModel
    name: str
    size: str
    options: dict[str, Any]
    grades: list[str]
    spec: ClipSpec
    """how clips are decoded for it"""
    normalisation: Normalisation
    origin: dict[str, Any] = field(default_factory=dict)
    """experiment, arm, fold, repeat: where it was trained"""


def save_trained(path: Path, trained: TrainedModel) -> None:
    """Write tensors and plain values alone, so that the file loads under `weights_only=True`."""
    save_tensors(
        path,
        {
            "format": FORMAT,
            "model": trained.model.state_dict(),
            "name": trained.name,
            "size": trained.size,
            "options": trained.options,
            "grades": trained.grades,
            "spec": asdict(trained.spec),
            "normalisation": asdict(trained.normalisation),
            "origin": trained.origin,
        },
    )


def save_tensors(path: Path, content: dict[str, Any]) -> None:
    """As `torch.save`, but whole or not at all, and with an error of the system's for a full disk."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with whole_file(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load_trained(path: Path, device: torch.device | str = "cpu") -> TrainedModel:
    """Read a file of `save_trained`; anything else is a UserError that names it."""
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such checkpoint") from None
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, ValueError, KeyError) as error:
        raise UserError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{path}: not a trained model of this program (those are called model.ckpt)")
    spec = ClipSpec(**content["spec"])
    model = create_model(
        content["name"],
        content["size"],
        num_grades=len(content["grades"]),
        num_frames=spec.num_frames,
        crop_size=spec.side,
        in_channels=spec.channels,
        **content["options"],
    )
    model.frame_rate = spec.frame_rate
    try:
        model.load_state_dict(content["model"])
    except RuntimeError as error:
        raise UserError(f"{path}: holds other weights than this version's {content['name']!r} has\n{error}") from error
    return TrainedModel(
        model=model.to(device).eval(),
        name=content["name"],
        size=content["size"],
        options=content["options"],
        grades=content["grades"],
        spec=spec,
        normalisation=Normalisation(**content["normalisation"]),
        origin=content["origin"],
    )
