"""A trained model in one file: its weights, and plain values that say how to rebuild and feed it."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from baselines import ClipModel
from baselines.checkpoints import COMPILED, load_plain, refuse_non_finite
from hybrid import create_model
from hybrid.data.clip import ClipSpec
from hybrid.data.transforms import Normalisation
from hybrid.errors import UserError
from hybrid.files import Damaged, check_record, whole_file

FORMAT = "sperm-video-hybrid model 2"
CONTENT = {"model": dict, "name": str, "size": str, "options": dict, "grades": list, "spec": dict,
           "normalisation": dict, "origin": dict}  # fmt: skip
"""what a file holds at the least"""


@dataclass(frozen=True)
class TrainedOn:
    """What weights have learned from.

    digests: of the clips and, where known, of the videos that they were cropped from, in this training and in those
    that it started from (`short_digest`). complete: whether these
    are all; a file that is none of ours may have seen others. sides: the shorter side in pixels, from the smallest to
    the largest of this training's clips; None where they have none (simulated in passing).
    """

    digests: tuple[str, ...]
    complete: bool = True
    sides: tuple[int, int] | None = None


FRESH = TrainedOn(())
"""fresh and published weights: these have learned from none of one's clips"""


def short_digest(digest: str) -> str:
    """Of a file's SHA-256 as much as a checkpoint keeps: 64 bits tell any clips apart."""
    return digest[:16]


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
    """experiment, arm, fold, repeat, seed, commit: where it was trained and with what"""
    trained_on: TrainedOn | None = None
    """None of files from before this was recorded"""
    frozen_from: str | None = None
    """of a frozen model, whose file holds the probe alone: `pretrained` of the network below it"""


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
            "trained_on": trained.trained_on and asdict(trained.trained_on),
            "frozen": trained.frozen_from and [trained.frozen_from, trained.model.frozen_weights],
        },
    )


def save_tensors(path: Path, content: dict[str, Any]) -> None:
    """As `torch.save`, but whole or not at all, and with an error of the system's for a full disk."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with whole_file(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load_trained(path: Path, device: torch.device | str = "cpu") -> TrainedModel:
    """Read a file of `save_trained`; anything else, and weights that are not finite, is a UserError that names it."""
    if not Path(path).exists():
        raise UserError(f"{path}: there is no such checkpoint")
    try:
        content = load_plain(path, device)
    except ValueError as error:
        raise UserError(str(error)) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{path}: not a trained model of this program (those are called model.ckpt)")
    try:
        trained = _rebuilt(path, content)
    except (UserError, ValueError) as error:  # such as what it asks for cannot be built
        raise UserError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:  # the last of tensors for numbers
        raise UserError(f"{path}: was damaged, or is of another version: {error}") from error
    trained.model.to(device)
    return trained


def _rebuilt(path: Path, content: dict[str, Any]) -> TrainedModel:
    check_record(path, content, CONTENT)
    refuse_non_finite(content["model"], str(path))
    spec, (frozen_from, frozen_weights) = ClipSpec(**content["spec"]), content.get("frozen") or (None, None)
    model = create_model(
        content["name"],
        content["size"],
        num_grades=len(content["grades"]),
        num_frames=spec.num_frames,
        crop_size=spec.side,
        in_channels=spec.channels,
        pretrained=frozen_from or "none",
        **content["options"],
    )
    if frozen_from and model.frozen_weights != frozen_weights:
        raise UserError(f"{path}: a probe on {frozen_weights}, but {frozen_from} now gives {model.frozen_weights}")
    model.frame_rate = spec.frame_rate
    try:  # torch.compile's wrapper leaves its mark in each name
        model.load_state_dict({name.replace(COMPILED, ""): value for name, value in content["model"].items()})
    except RuntimeError as error:
        hint = f"; {model.other_weights}" if model.other_weights else ""
        wrong = f"{path}: holds other weights than this version's {content['name']!r} has{hint}\n{error}"
        raise UserError(wrong) from error
    return TrainedModel(
        model=model.eval(),
        name=content["name"],
        size=content["size"],
        options=content["options"],
        grades=content["grades"],
        spec=spec,
        normalisation=Normalisation(**content["normalisation"]),
        origin=content["origin"],
        trained_on=read_trained_on(path, content),
        frozen_from=frozen_from,
    )


def read_trained_on(path: Path, content: dict[str, Any]) -> TrainedOn | None:
    """What a checkpoint's content says of it; None where it says nothing. `Damaged` where it says what cannot be."""
    if content.get("trained_on") is None:
        return None
    check_record(path, content, {"trained_on.digests": (tuple, list), "trained_on.complete": bool})
    digests, complete, sides = (content["trained_on"].get(key) for key in ("digests", "complete", "sides"))
    if not all(isinstance(digest, str) for digest in digests) or not (sides is None or _are_sides(sides)):
        raise Damaged(f"{path}: was damaged, in what it says it was trained on")
    return TrainedOn(tuple(digests), complete, sides and tuple(sides))


def _are_sides(sides: Any) -> bool:
    return isinstance(sides, tuple | list) and len(sides) == 2 and all(type(side) is int for side in sides)
