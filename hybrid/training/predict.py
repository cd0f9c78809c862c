"""Grade new clips with trained models: one checkpoint, or the folds of an experiment as an ensemble."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from hybrid.data.clip import ClipError, DecodedClip
from hybrid.data.loader import InMemoryClips, evaluation_batches
from hybrid.data.oddities import Oddities, oddities
from hybrid.data.paths import clips_under
from hybrid.data.problems import some_of
from hybrid.device import Machine
from hybrid.errors import UserError
from hybrid.files import software_commit
from hybrid.training.checkpoint import TrainedModel, load_trained


def find_checkpoints(path: Path, model: str | None = None) -> list[Path]:
    """The checkpoints of one model: a file, or those of `checkpoints_in` a folder.

    An experiment of several models needs `model` to choose one.
    """
    found = checkpoints_in(path)
    models = sorted({checkpoint.parent.parent.name for checkpoint in found})
    if model is None and len(models) > 1:
        raise UserError(f"{path}: holds {len(models)} models; choose one with --model: {', '.join(models)}")
    if path.is_dir():
        found = [checkpoint for checkpoint in found if model in (None, checkpoint.parent.parent.name)]
    if not found:
        raise UserError(f"{path}: holds no finished run" + (f" of {model!r}" if model else ""))
    return found


def checkpoints_in(path: Path) -> list[Path]:
    """A checkpoint file itself, or those of all finished runs in the folder of a run, a model or an experiment."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"{path}: there is no such checkpoint or folder")
    found: list[Path] = []
    for place in ("", "repeat*-fold*/", "*/repeat*-fold*/"):
        found = found or sorted(path.glob(f"{place}model.ckpt"))
    # A run that is not done has no result yet, and its model.ckpt may be of an earlier try.
    return [checkpoint for checkpoint in found if (checkpoint.parent / "result.json").exists()]


def find_clips(paths: Sequence[Path]) -> list[Path]:
    """The files named, and the clips of the folders named (`clips_under`), in order."""
    clips: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = clips_under(path)
            if not inside:
                raise UserError(f"{path}: the folder holds no files")
            clips += inside
        else:
            clips.append(path)
    return clips


@dataclass(frozen=True, eq=False)
class Predictions:
    """table: a row a clip that can be read, see `predict_clips`. unreadable: why each of the others is none of them.
    notes: what is odd about clips or checkpoints, a sentence each.
    """

    table: pd.DataFrame
    unreadable: list[str]
    notes: list[str]


def predict_clips(checkpoints: Sequence[Path], clips: Sequence[Path], machine: Machine) -> Predictions:
    """The mean distribution over the checkpoints, its spread, the expected grade, and what was seen of each clip.

    Columns: clip; one of each grade with its probability; `<grade>_sd`, the standard deviation over the checkpoints
    (empty for one checkpoint); expected_grade, from 1 for the best; expected_grade_sd; top_grade; held_frames, how
    many frames repeat the last one because the clip is short; width and height of the source as shown, in pixels;
    seconds in the file and used_seconds of these; cropped, far_larger (empty where the checkpoint does not say what it
    was trained on), flat and notes as in `Oddities`; checkpoints, with the start of each file's SHA-256; commit of the
    program that answered.

    A UserError where no clip can be read, and where weights or answers are not finite.
    """
    ensemble = [load_trained(checkpoint, machine.device) for checkpoint in checkpoints]
    first = ensemble[0]
    for checkpoint, trained in zip(checkpoints, ensemble, strict=True):
        if (trained.grades, trained.spec) != (first.grades, first.spec):
            raise UserError(f"{checkpoint}: made for other grades or frames than {checkpoints[0]}")
    readable, unreadable = _decode_all(clips, first)
    clips, decoded = [clip for clip, _ in readable], [clip for _, clip in readable]
    frames_NTHWC = np.stack([clip.frames_THWC for clip in decoded])

    dist_MNK = np.stack([_distributions(trained, frames_NTHWC, machine) for trained in ensemble])
    _refuse_non_finite(dist_MNK, checkpoints, clips)
    ranks_K = np.arange(1, len(first.grades) + 1)
    expected_MN = dist_MNK @ ranks_K
    spread = (lambda values: values.std(0, ddof=1)) if len(ensemble) > 1 else (lambda values: values[0] * np.nan)
    mean_NK, sd_NK = dist_MNK.mean(0), spread(dist_MNK)
    table = pd.DataFrame(
        {"clip": [str(clip) for clip in clips]}
        | {grade: mean_NK[:, k] for k, grade in enumerate(first.grades)}
        | {f"{grade}_sd": sd_NK[:, k] for k, grade in enumerate(first.grades)}
        | {
            "expected_grade": expected_MN.mean(0),
            "expected_grade_sd": spread(expected_MN),
            "top_grade": [first.grades[k] for k in mean_NK.argmax(1)],
        }
    )
    sides = [trained.trained_on and trained.trained_on.sides for trained in ensemble]
    largest_side = min(largest for _, largest in sides) if all(sides) else None
    seen = [oddities(clip.frames_THWC, clip.facts, first.spec, largest_side) for clip in decoded]
    facts = [clip.facts for clip in decoded]
    table["held_frames"] = [fact.padded for fact in facts]
    for name in ("width", "height", "seconds"):
        table[name] = [getattr(fact, name) for fact in facts]
    for name in ("used_seconds", "cropped", "far_larger", "flat"):
        table[name] = [getattr(odd, name) for odd in seen]
    table["notes"] = ["; ".join(odd.notes) for odd in seen]
    table["checkpoints"] = "; ".join(f"{checkpoint} ({_sha256(checkpoint)[:12]})" for checkpoint in checkpoints)
    table["commit"] = software_commit() or ""
    notes = [] if largest_side else ["the checkpoint does not say how large the clips were that it was trained on"]
    return Predictions(table, unreadable, notes + _said_together(clips, seen))


def _decode_all(clips: Sequence[Path], trained: TrainedModel) -> tuple[list[tuple[Path, DecodedClip]], list[str]]:
    """The clips that can be read as the model wants them, and why each of the others cannot."""
    from hybrid.data.video import decode_clip  # here, for a run predicts too and needs no decoder

    readable, unreadable = [], []
    for clip in tqdm(clips, desc="decoding", unit="clip", disable=None, leave=False):
        try:
            readable.append((clip, decode_clip(clip, trained.spec)))
        except ClipError as error:
            unreadable.append(str(error))
    if not readable:
        raise UserError("\n".join([f"none of {len(clips)} clips can be read:", *unreadable]))
    return readable, unreadable


def _distributions(trained: TrainedModel, frames_NTHWC: np.ndarray, machine: Machine) -> np.ndarray:
    used = trained.model.used_frames(trained.spec.num_frames)
    clips = InMemoryClips(frames_NTHWC, trained.normalisation, used)
    dist_NK, _ = predict_distributions(trained.model, clips, np.arange(len(frames_NTHWC)), 32, machine)
    return dist_NK


def _refuse_non_finite(dist_MNK: np.ndarray, checkpoints: Sequence[Path], clips: Sequence[Path]) -> None:
    wrong_MN = ~np.isfinite(dist_MNK).all(-1)
    for checkpoint, wrong_N in zip(checkpoints, wrong_MN, strict=True):
        if wrong_N.any():
            names = some_of(str(clips[n]) for n in np.flatnonzero(wrong_N))
            raise UserError(
                f"{checkpoint}: its answers to {wrong_N.sum()} of {len(clips)} clips are no numbers ({names}), so none "
                "of its answers can be trusted; its weights are finite but too large, or this machine computes them "
                "wrongly (try --accelerator cpu)"
            )


def _said_together(clips: Sequence[Path], seen: Sequence[Oddities]) -> list[str]:
    """A sentence for each thing that is odd, with the clips it is odd about."""
    odd: dict[str, list[str]] = {}
    for clip, found in zip(clips, seen, strict=True):
        for note in found.notes:
            odd.setdefault(note, []).append(str(clip))
    return [f"{len(names)} of {len(clips)} clips: {note} ({some_of(names)})" for note, names in odd.items()]


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def predict_distributions(
    model: nn.Module, clips: InMemoryClips, numbers: np.ndarray, batch_size: int, machine: Machine
) -> tuple[np.ndarray, float]:
    """The distributions (N, K) of the clips with these numbers, and the seconds a clip the model took.

    The model is put in eval mode on the machine's device and left there.
    """
    model.to(machine.device).eval()
    clips.to(machine.device)
    distributions, seconds = [], 0.0
    for (clips_B,) in evaluation_batches(numbers, batch_size):
        clip_BCTHW = clips.batch(clips_B, machine.device)
        started = time.perf_counter()
        with torch.inference_mode(), machine.autocast():
            dist_BK = model(clip_BCTHW).float().softmax(-1).cpu()
        seconds += time.perf_counter() - started
        distributions.append(dist_BK)
    return torch.cat(distributions).numpy(), seconds / len(numbers)
