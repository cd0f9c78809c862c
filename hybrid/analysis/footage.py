"""The clips that models can be asked about: of a data set, or of a plain folder of videos."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hybrid.analysis.masks import find_mask, read_mask
from hybrid.analysis.subject import Clips
from hybrid.data.cache import BadClips, decode_clips
from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import ClipDataset, load_dataset
from hybrid.data.labels import FILE
from hybrid.errors import UserError
from hybrid.evaluation.metrics import expected_grade
from hybrid.predict import find_clips
from hybrid.training.batches import ResidentClips
from hybrid.training.checkpoint import TrainedModel


@dataclass(frozen=True, eq=False)
class Footage:
    """N decoded clips to choose from.

    frames_NTHWC: uint8. names, groups: one a clip; where no groups are known every clip is its own. rates: frames a
    second of the sources. target_NK, grades, fingerprint: None in a folder without labels.
    """

    root: Path
    spec: ClipSpec
    frames_NTHWC: np.ndarray
    names: tuple[str, ...]
    groups: tuple[str, ...]
    rates: tuple[float, ...]
    simulated: bool
    target_NK: np.ndarray | None = None
    grades: tuple[str, ...] | None = None
    fingerprint: str | None = None

    @property
    def has_masks(self) -> bool:
        return (self.root / "masks").is_dir()


def footage_of_dataset(dataset: ClipDataset) -> Footage:
    return Footage(
        root=dataset.root,
        spec=dataset.spec,
        frames_NTHWC=dataset.frames_NTHWC,
        names=dataset.clips,
        groups=dataset.groups or dataset.clips,
        rates=tuple(facts.frame_rate for facts in dataset.facts),
        simulated=dataset.simulated,
        target_NK=dataset.targets_NK,
        grades=dataset.grades,
        fingerprint=dataset.fingerprint,
    )


def footage_in(folder: Path, spec: ClipSpec, cache: Path) -> Footage:
    """A data set where the folder has labels, else every file in it as a clip, with the decoded frames in `cache`."""
    if (folder / FILE).exists():
        return footage_of_dataset(load_dataset(folder, spec))
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder of clips")
    paths = find_clips([folder])
    try:
        decoded = decode_clips(paths, spec, cache)
    except BadClips as error:
        reasons = [f"  {paths[n]} {reason}" for n, reason in error.reasons.items()]
        raise UserError("\n".join([f"{len(reasons)} of {len(paths)} clips cannot be read:", *reasons])) from None
    names = tuple(path.relative_to(folder).as_posix() for path in paths)
    rates = tuple(facts.frame_rate for facts in decoded.facts)
    return Footage(folder, spec, decoded.frames_NTHWC, names, names, rates, simulated=False)


def choose(footage: Footage, allowed: Collection[str] | None, count: int | None) -> list[int]:
    """The numbers of `count` of the allowed clips, evenly over the grades where they are known; None: of all."""
    numbers = [n for n, name in enumerate(footage.names) if allowed is None or name in allowed]
    if count is None or count >= len(numbers):
        return numbers
    if footage.target_NK is not None:
        grade_N = expected_grade(footage.target_NK)
        numbers.sort(key=lambda n: (grade_N[n], footage.names[n]))
    middles = (np.arange(count) + 0.5) * len(numbers) / count
    return sorted(numbers[int(middle)] for middle in middles)


def clips_for(trained: TrainedModel, footage: Footage, numbers: Sequence[int]) -> Clips:
    """The clips with these numbers, normalised for a model, with masks and truth where the data set has them."""
    resident = ResidentClips(footage.frames_NTHWC, trained.normalisation)
    names = tuple(footage.names[n] for n in numbers)
    unknown_NK = np.full((len(numbers), len(trained.grades)), np.nan)
    return Clips(
        clip_NCTHW=resident.batch(torch.tensor(numbers), torch.device("cpu")),
        target_NK=unknown_NK if footage.target_NK is None else footage.target_NK[list(numbers)],
        names=names,
        frame_rate=footage.spec.frame_rate,
        mask_NTHW=_masks(footage, numbers) if footage.has_masks else None,
        truth=_truth(footage.root / "truth.csv", names),
    )


def digest(footage: Footage, numbers: Sequence[int]) -> str:
    """16 hex digits of all that a model is asked about when it is asked about these clips."""
    content = hashlib.sha256(repr((footage.spec, [(footage.names[n], footage.rates[n]) for n in numbers])).encode())
    for n in numbers:
        content.update(np.ascontiguousarray(footage.frames_NTHWC[n]).data)
        if footage.target_NK is not None:
            content.update(footage.target_NK[n].tobytes())
        if footage.has_masks:
            content.update(find_mask(footage.root, footage.names[n]).read_bytes())
    return content.hexdigest()[:16]


def _masks(footage: Footage, numbers: Sequence[int]) -> np.ndarray:
    return np.stack(
        [read_mask(find_mask(footage.root, footage.names[n]), footage.spec, footage.rates[n]) for n in numbers]
    )


def _truth(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray] | None:
    if not path.exists():
        return None
    table = pd.read_csv(path, dtype={"clip": str}, keep_default_na=False, na_values=["", "nan"]).set_index("clip")
    if missing := [name for name in names if name not in table.index]:
        raise UserError(f"{path}: has no row for clip {missing[0]!r}")
    return {column: table.loc[list(names), column].to_numpy() for column in table}
