"""Grade new clips with trained models: one checkpoint, or the folds of an experiment as an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from hybrid.data.clip import ClipError
from hybrid.data.video import decode_clip
from hybrid.errors import UserError
from hybrid.evaluation.inference import predict_distributions
from hybrid.training.batches import ResidentClips
from hybrid.training.checkpoint import TrainedModel, load_trained
from hybrid.training.machine import Machine


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
    """The files named, and every file of the folders named, in order and without hidden ones."""
    clips: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
            if not inside:
                raise UserError(f"{path}: the folder holds no files")
            clips += inside
        else:
            clips.append(path)
    return clips


def predict_clips(checkpoints: Sequence[Path], clips: Sequence[Path], machine: Machine) -> pd.DataFrame:
    """A row a clip: the mean distribution over the checkpoints, its spread, and the expected grade.

    Columns: clip; one of each grade with its probability; `<grade>_sd`, the standard deviation over the checkpoints
    (empty for one checkpoint); expected_grade, from 1 for the best; expected_grade_sd; top_grade; held_frames, how
    many frames repeat the last one because the clip is short.
    """
    ensemble = [load_trained(checkpoint, machine.device) for checkpoint in checkpoints]
    first = ensemble[0]
    for checkpoint, trained in zip(checkpoints, ensemble, strict=True):
        if (trained.grades, trained.spec) != (first.grades, first.spec):
            raise UserError(f"{checkpoint}: made for other grades or frames than {checkpoints[0]}")
    frames_NTHWC, held_N = _decode_all(clips, first)

    dist_MNK = np.stack([_distributions(trained, frames_NTHWC, machine) for trained in ensemble])
    ranks_K = np.arange(1, len(first.grades) + 1)
    expected_MN = dist_MNK @ ranks_K
    spread = (lambda values: values.std(0, ddof=1)) if len(ensemble) > 1 else (lambda values: values[0] * np.nan)
    mean_NK, sd_NK = dist_MNK.mean(0), spread(dist_MNK)
    return pd.DataFrame(
        {"clip": [str(clip) for clip in clips]}
        | {grade: mean_NK[:, k] for k, grade in enumerate(first.grades)}
        | {f"{grade}_sd": sd_NK[:, k] for k, grade in enumerate(first.grades)}
        | {
            "expected_grade": expected_MN.mean(0),
            "expected_grade_sd": spread(expected_MN),
            "top_grade": [first.grades[k] for k in mean_NK.argmax(1)],
            "held_frames": held_N,
        }
    )


def _decode_all(clips: Sequence[Path], trained: TrainedModel) -> tuple[np.ndarray, list[int]]:
    """All clips as the model wants them; every clip that cannot be read is named at once."""
    decoded, problems = [], []
    for clip in tqdm(clips, desc="decoding", unit="clip", disable=None, leave=False):
        try:
            decoded.append(decode_clip(clip, trained.spec))
        except ClipError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join([f"{len(problems)} of {len(clips)} clips cannot be read:", *problems]))
    return np.stack([clip.frames_THWC for clip in decoded]), [clip.facts.held for clip in decoded]


def _distributions(trained: TrainedModel, frames_NTHWC: np.ndarray, machine: Machine) -> np.ndarray:
    used = trained.model.used_frames(trained.spec.num_frames)
    clips = ResidentClips(frames_NTHWC, trained.normalisation, used)
    dist_NK, _ = predict_distributions(trained.model, clips, np.arange(len(frames_NTHWC)), 32, machine)
    return dist_NK
