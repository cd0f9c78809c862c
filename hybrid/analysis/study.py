"""One analysis: which models are asked what about which clips, found out and checked before anything is computed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hybrid.analysis.attribution import Attribution
from hybrid.analysis.footage import Footage, choose, digest, footage_in, footage_of_dataset
from hybrid.analysis.measure import Measure
from hybrid.analysis.results import Question
from hybrid.analysis.sources import Source, known_labels
from hybrid.data.clip import ClipSpec
from hybrid.errors import UserError
from hybrid.experiment.trained_on import dataset_of, fingerprint_of
from hybrid.training.checkpoint import load_trained


@dataclass(frozen=True, eq=False)
class Asked:
    """One trained model and the clips it is asked about: the `numbers` of its footage.

    checkpoint, clips: digests of their content.
    """

    source: Source
    footage: Footage
    numbers: tuple[int, ...]
    checkpoint: str
    clips: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.footage.names[n] for n in self.numbers)

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(self.footage.groups[n] for n in self.numbers)

    def question(self, about: str) -> Question:
        return Question(about, self.source.label, self.source.run, self.checkpoint, self.clips)


@dataclass(frozen=True, eq=False)
class Study:
    """All that is asked, and the folder of the answers.

    gallery: who is asked by the attributions about which clips, the same ones for all models. grades: of all the
    models. models: by label, their name in the registry. notices: what is odd but no error.
    """

    folder: Path
    asked: tuple[Asked, ...]
    gallery: tuple[Asked, ...]
    measures: Mapping[str, Measure]
    attributions: Mapping[str, Attribution]
    grades: tuple[str, ...]
    models: Mapping[str, str]
    notices: tuple[str, ...] = field(default=())

    @property
    def labels(self) -> list[str]:
        return known_labels([asked.source for asked in self.asked])

    def of(self, label: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.source.label == label]

    @property
    def simulated(self) -> bool:
        return any(asked.footage.simulated for asked in self.asked)

    def path(self, asked: Asked, kind: str, name: str) -> Path:
        """of an answer; kind: 'measures' or 'relevance'"""
        return self.folder / kind / asked.source.label / asked.source.run / f"{name}.npz"


def prepare(
    folder: Path,
    sources: Sequence[Source],
    measures: Mapping[str, Measure],
    attributions: Mapping[str, Attribution],
    *,
    data: Path | None = None,
    clips_a_run: int | None = None,
    gallery_clips: int = 6,
) -> Study:
    """Find the clips of every source, by default those that it was tested on and has not been trained on.

    data: a data set or a folder of videos in place of the experiment's own clips. clips_a_run: how many each trained
    model is asked about, the same ones for all models of a run; None: all.
    """
    found = _Footages(folder / ".cache", data)
    asked, grades, specs, models = [], None, {}, {}
    for source in sources:
        if source.label not in specs:
            trained = load_trained(source.checkpoint)
            specs[source.label], models[source.label] = trained.spec, trained.name
            grades = grades or trained.grades
            if trained.grades != grades:
                raise UserError(f"{source.checkpoint}: made for grades {trained.grades}, the others for {grades}")
        footage = found.of(source, specs[source.label])
        if footage.grades is not None and list(footage.grades) != list(grades):
            raise UserError(f"{footage.root}: has grades {list(footage.grades)}, {source.label} answers in {grades}")
        numbers = tuple(choose(footage, found.allowed(source, footage), clips_a_run))
        if not numbers:
            raise UserError(f"{footage.root}: has none of the clips that {source.label} {source.run} was tested on")
        asked.append(Asked(source, footage, numbers, _file_digest(source.checkpoint), digest(footage, numbers)))
    shown = shown_clips(asked, gallery_clips)
    return Study(
        folder, tuple(asked), shown, measures, attributions, tuple(grades), models, tuple(found.notices)
    )


def shown_clips(asked: Sequence[Asked], count: int) -> tuple[Asked, ...]:
    """Of the clips that every model is asked about `count`, and for each model the first run that is asked about each."""
    of_label: dict[str, list[Asked]] = {}
    for one in asked:
        of_label.setdefault(one.source.label, []).append(one)
    common = set.intersection(*({name for one in own for name in one.names} for own in of_label.values()))
    footage = asked[0].footage
    names = [footage.names[n] for n in choose(footage, common, count)]
    shown = []
    for own in of_label.values():
        first = {name: next(one for one in own if name in one.names) for name in names}
        for one in dict.fromkeys(first.values()):
            numbers = tuple(one.footage.names.index(name) for name in names if first[name] is one)
            shown.append(replace(one, numbers=numbers, clips=digest(one.footage, numbers)))
    return tuple(shown)


class _Footages:
    """Decoded clips by where they are from, each once, and what is to be said of them."""

    def __init__(self, cache: Path, data: Path | None):
        self.cache, self.data = cache, data
        self.known: dict[tuple[Path, ClipSpec], Footage] = {}
        self.notices: list[str] = []

    def of(self, source: Source, spec: ClipSpec) -> Footage:
        place = self.data or source.experiment.path
        if (place, spec) not in self.known:
            self.known[place, spec] = self._load(source, spec)
        return self.known[place, spec]

    def _load(self, source: Source, spec: ClipSpec) -> Footage:
        if self.data is not None:
            return footage_in(self.data, spec, self.cache)
        if not source.of_experiment:
            raise UserError(f"{source.checkpoint}: lies in no run's folder; name a folder of clips with --data")
        dataset, why = dataset_of(source.experiment, source.folder)
        if dataset is None:
            raise UserError(f"{source.experiment.path}: {why}; name a folder of clips with --data")
        return footage_of_dataset(dataset)

    def allowed(self, source: Source, footage: Footage) -> frozenset[str] | None:
        """Clips that the model has not been trained on; None: all, for nothing says."""
        if self.data is None:
            return source.held_out
        if source.of_experiment and footage.fingerprint and footage.fingerprint == fingerprint_of(source.experiment):
            return source.held_out
        notice = f"{footage.root}: whether {source.label} was trained on some of these clips is not known"
        if notice not in self.notices:
            self.notices.append(notice)
        return None


def _file_digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
