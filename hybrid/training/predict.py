"""Grade new clips with trained models: one checkpoint, or the folds of an experiment as an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from hybrid.data.clip import ClipError, ClipSpec, DecodedClip
from hybrid.data.oddities import Oddities, oddities
from hybrid.data.paths import clips_under
from hybrid.data.problems import some_of
from hybrid.device import Machine
from hybrid.errors import UserError
from hybrid.files import software_commit
from hybrid.training.doubts import doubts
from hybrid.training.ensemble import Ensemble


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
    seconds in the file and used_seconds of these; cropped, far_larger and far_smaller (empty where the checkpoint does
    not say what it was trained on), flat and notes as in `Oddities`; checkpoints, with the start of each file's
    SHA-256; commit of the program that answered.

    A UserError where no clip can be read, and where weights or answers are not finite.
    """
    ensemble = Ensemble.load(checkpoints, machine)
    grades, spec = ensemble.grades, ensemble.spec
    readable, unreadable = _decode_all(clips, spec)
    clips, decoded = [clip for clip, _ in readable], [clip for _, clip in readable]
    dist_MNK = ensemble.distributions(np.stack([clip.frames_THWC for clip in decoded]), list(map(str, clips)))
    ranks_K = np.arange(1, len(grades) + 1)
    expected_MN = dist_MNK @ ranks_K
    spread = (lambda values: values.std(0, ddof=1)) if len(dist_MNK) > 1 else (lambda values: values[0] * np.nan)
    mean_NK, sd_NK = dist_MNK.mean(0), spread(dist_MNK)
    table = pd.DataFrame(
        {"clip": [str(clip) for clip in clips]}
        | {grade: mean_NK[:, k] for k, grade in enumerate(grades)}
        | {f"{grade}_sd": sd_NK[:, k] for k, grade in enumerate(grades)}
        | {
            "expected_grade": expected_MN.mean(0),
            "expected_grade_sd": spread(expected_MN),
            "top_grade": [grades[k] for k in mean_NK.argmax(1)],
        }
    )
    seen = [oddities(clip.facts, spec, ensemble.sides) for clip in decoded]
    facts = [clip.facts for clip in decoded]
    table["held_frames"] = [fact.padded for fact in facts]
    for name in ("width", "height", "seconds"):
        table[name] = [getattr(fact, name) for fact in facts]
    for name in ("used_seconds", "cropped", "far_larger", "far_smaller", "flat"):
        table[name] = [getattr(odd, name) for odd in seen]
    table["notes"] = ["; ".join(odd.notes) for odd in seen]
    table["checkpoints"] = ensemble.described
    table["commit"] = software_commit() or ""
    notes = [] if ensemble.sides else ["the checkpoint does not say how large the clips were that it was trained on"]
    notes += doubts(checkpoints)
    return Predictions(table, unreadable, notes + _learned_from(clips, ensemble) + _said_together(clips, seen))


def _decode_all(clips: Sequence[Path], spec: ClipSpec) -> tuple[list[tuple[Path, DecodedClip]], list[str]]:
    """The clips that can be read as the model wants them, and why each of the others cannot."""
    from hybrid.data.video import decode_clip  # here, for a run predicts too and needs no decoder

    readable, unreadable = [], []
    for clip in tqdm(clips, desc="decoding", unit="clip", disable=None, leave=False):
        try:
            readable.append((clip, decode_clip(clip, spec)))
        except ClipError as error:
            unreadable.append(str(error))
    if not readable:
        raise UserError("\n".join([f"none of {len(clips)} clips can be read:", *unreadable]))
    return readable, unreadable


def _learned_from(clips: Sequence[Path], ensemble: Ensemble) -> list[str]:
    """A sentence on the clips that a model was trained on, if there are any."""
    known = [str(clip) for clip in ensemble.learned_from(clips)]
    if not known:
        return []
    return [
        f"{len(known)} of {len(clips)} clips are among those that a model here was trained on, so that its answers to "
        f"them are nearer to the votes than to new ones ({some_of(known)})"
    ]


def _said_together(clips: Sequence[Path], seen: Sequence[Oddities]) -> list[str]:
    """A sentence for each thing that is odd, with the clips it is odd about."""
    odd: dict[str, list[str]] = {}
    for clip, found in zip(clips, seen, strict=True):
        for note in found.notes:
            odd.setdefault(note, []).append(str(clip))
    return [f"{len(names)} of {len(clips)} clips: {note} ({some_of(names)})" for note, names in odd.items()]
