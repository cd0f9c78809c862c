"""The decoded clips that models can be asked about: of a data set, or of a plain folder of videos."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from hybrid.analysis.base import InputClips
from hybrid.analysis.trained_models import TrainedRun
from hybrid.data.cache import BadClips, cache_folder, decode_clips
from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import ClipDataset, load_dataset
from hybrid.data.grade_rows import LABELS, RATINGS
from hybrid.data.loader import InMemoryClips
from hybrid.data.masks import find_mask, has_masks, read_mask
from hybrid.errors import UserError
from hybrid.evaluation.metrics import expected_grade
from hybrid.evaluation.results import dataset_of, fingerprint_of
from hybrid.training.checkpoint import TrainedModel
from hybrid.training.predict import find_clips


@dataclass(frozen=True, eq=False)
class ClipSet:
    """N decoded clips to choose from.

    frames_NTHWC: uint8. names, groups: one for each clip; where no groups are known every clip is its own. rates:
    frames a second of the source videos. target_NK, grades, fingerprint: None in a folder without labels.
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

    @classmethod
    def of_dataset(cls, dataset: ClipDataset) -> Self:
        return cls(
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

    @classmethod
    def in_folder(cls, folder: Path, spec: ClipSpec) -> Self:
        """A data set where the folder has labels, else every file in it as a clip."""
        if (folder / LABELS).exists() or (folder / RATINGS).exists():
            return cls.of_dataset(load_dataset(folder, spec))
        if not folder.is_dir():
            raise UserError(f"{folder}: there is no such folder of clips")
        paths = find_clips([folder])
        try:
            decoded = decode_clips(paths, spec, cache_folder(folder))
        except BadClips as error:
            reasons = [f"  {paths[n]} {reason}" for n, reason in error.reasons.items()]
            raise UserError("\n".join([f"{len(reasons)} of {len(paths)} clips cannot be read:", *reasons])) from None
        names = tuple(path.relative_to(folder).as_posix() for path in paths)
        rates = tuple(facts.frame_rate for facts in decoded.facts)
        return cls(folder, spec, decoded.frames_NTHWC, names, names, rates, simulated=False)

    @property
    def has_masks(self) -> bool:
        return has_masks(self.root)

    def choose(self, allowed: Collection[str] | None, count: int | None) -> list[int]:
        """The numbers of `count` of the allowed clips, evenly over the grades where they are known; None: of all."""
        numbers = [n for n, name in enumerate(self.names) if allowed is None or name in allowed]
        if count is None or count >= len(numbers):
            return numbers
        if self.target_NK is not None:
            grade_N = expected_grade(self.target_NK)
            numbers.sort(key=lambda n: (grade_N[n], self.names[n]))
        middles = (np.arange(count) + 0.5) * len(numbers) / count
        return sorted(numbers[int(middle)] for middle in middles)

    def for_model(self, trained: TrainedModel, numbers: Sequence[int]) -> InputClips:
        """The clips with these numbers, normalised for a model, with masks where the data set has them."""
        in_memory = InMemoryClips(self.frames_NTHWC, trained.normalisation)
        masked = numbers if self.has_masks else ()
        masks = [read_mask(find_mask(self.root, self.names[n]), self.spec, self.rates[n]) for n in masked]
        unknown_NK = np.full((len(numbers), len(trained.grades)), np.nan)
        return InputClips(
            clip_NCTHW=in_memory.batch(torch.tensor(numbers), torch.device("cpu")),
            target_NK=unknown_NK if self.target_NK is None else self.target_NK[list(numbers)],
            names=tuple(self.names[n] for n in numbers),
            frame_rate=self.spec.frame_rate,
            mask_NTHW=np.stack(masks) if masks else None,
        )

    def digest(self, numbers: Sequence[int]) -> str:
        """16 hex digits of all that a model is asked about when it is asked about these clips."""
        content = hashlib.sha256(repr((self.spec, [(self.names[n], self.rates[n]) for n in numbers])).encode())
        for n in numbers:
            content.update(np.ascontiguousarray(self.frames_NTHWC[n]).data)
            if self.target_NK is not None:
                content.update(self.target_NK[n].tobytes())
            if self.has_masks:
                content.update(find_mask(self.root, self.names[n]).read_bytes())
        return content.hexdigest()[:16]


class ClipSets:
    """The clips of an analysis, each data set decoded once.

    data: a data set or a folder of videos, None for each experiment's own clips. notices: what the user should be told
    about the clips.
    """

    def __init__(self, data: Path | None):
        self.data = data
        self.known: dict[tuple[Path, ClipSpec], ClipSet] = {}
        self.notices: list[str] = []

    def clips_for(self, run: TrainedRun, spec: ClipSpec) -> ClipSet:
        """The clips for this trained model, decoded as it wants them."""
        place = self.data or run.experiment.path
        if (place, spec) not in self.known:
            if self.data is not None:
                self.known[place, spec] = ClipSet.in_folder(self.data, spec)
            elif not run.of_experiment:
                why = "lies in no run's folder"
                if run.checkpoint.parent.name.endswith("-all"):
                    why = "is of a model trained on all clips, of which none is left to ask it about"
                raise UserError(f"{run.checkpoint}: {why}; name a folder of clips with --data")
            else:
                dataset, why = dataset_of(run.experiment, run.folder)
                if dataset is None:
                    raise UserError(f"{run.experiment.path}: {why}; name a folder of clips with --data")
                self.known[place, spec] = ClipSet.of_dataset(dataset)
        return self.known[place, spec]

    def allowed(self, run: TrainedRun, clips: ClipSet) -> frozenset[str] | None:
        """Clips that the model has not been trained on; None: all, for this is not known."""
        if self.data is None:
            return run.held_out
        if run.of_experiment and clips.fingerprint and clips.fingerprint == fingerprint_of(run.experiment):
            return run.held_out
        notice = f"{clips.root}: whether {run.label} was trained on some of these clips is not known"
        if notice not in self.notices:
            self.notices.append(notice)
        return None
