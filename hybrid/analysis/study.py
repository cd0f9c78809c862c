"""One analysis: which models are asked what about which clips, found out and checked before anything is computed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from hybrid.analysis.attribution import Attribution
from hybrid.analysis.footage import Footage, choose, digest
from hybrid.analysis.group import Group
from hybrid.analysis.material import Material
from hybrid.analysis.measure import Measure
from hybrid.analysis.results import Question
from hybrid.analysis.sources import Source, known_labels
from hybrid.errors import UserError
from hybrid.training.checkpoint import load_trained

FEW = 4
"""clips a trained model that dear measures are asked about"""
TRIO = ("slowfast", "timesformer", "hybrid")
"""the models that the analysis is about, where they are there"""


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

    def about(self, numbers: Sequence[int]) -> Asked:
        """The same model about other clips."""
        return replace(self, numbers=tuple(numbers), clips=digest(self.footage, numbers))


@dataclass(frozen=True, eq=False)
class Study:
    """All that is asked, and the folder of the answers.

    asked, few: about all clips chosen, and about a few of them. gallery: who is asked by the attributions about which
    clips, the same ones for all models. grades: of all the models. models: by label, their name in the registry.
    notices: what is odd but no error.
    """

    folder: Path
    asked: tuple[Asked, ...]
    few: tuple[Asked, ...]
    gallery: tuple[Asked, ...]
    groups: tuple[Group, ...]
    attributions: Mapping[str, Attribution]
    grades: tuple[str, ...]
    models: Mapping[str, str]
    notices: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        return known_labels([asked.source for asked in self.asked])

    @property
    def measures(self) -> dict[str, Measure]:
        return {name: measure for group in self.groups for name, measure in group.measures.items()}

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Models to compare: SlowFast, TimeSformer and hybrid where two of them are there, else the first three."""
        trio = [label for label in TRIO if label in self.labels]
        return list(combinations(trio if len(trio) > 1 else self.labels[:3], 2))

    @property
    def simulated(self) -> bool:
        return any(asked.footage.simulated for asked in self.asked)

    def of(self, label: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.source.label == label]

    def asked_by(self, group: Group) -> tuple[Asked, ...]:
        """Who is asked about what by the measures of a group."""
        asked = self.few if group.few else self.asked
        return tuple(one for one in asked if one.footage.has_masks or not group.needs_masks)

    def path(self, asked: Asked, kind: str, name: str) -> Path:
        """of an answer; kind: 'measures' or 'relevance'"""
        return self.folder / kind / asked.source.label / asked.source.run / f"{name}.npz"


def prepare(
    folder: Path,
    sources: Sequence[Source],
    groups: Sequence[Group],
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
    material = Material(data, folder / ".cache")
    asked, grades, specs, models = [], None, {}, {}
    for source in sources:
        if source.label not in specs:
            trained = load_trained(source.checkpoint)
            specs[source.label], models[source.label] = trained.spec, trained.name
            grades = grades or trained.grades
            if trained.grades != grades:
                raise UserError(f"{source.checkpoint}: made for grades {trained.grades}, the others for {grades}")
        footage = material.footage(source, specs[source.label])
        if footage.grades is not None and list(footage.grades) != list(grades):
            raise UserError(f"{footage.root}: has grades {list(footage.grades)}, {source.label} answers in {grades}")
        numbers = tuple(choose(footage, material.allowed(source, footage), clips_a_run))
        if not numbers:
            raise UserError(f"{footage.root}: has none of the clips that {source.label} {source.run} was tested on")
        asked.append(Asked(source, footage, numbers, _file_digest(source.checkpoint), digest(footage, numbers)))
    return Study(
        folder=folder,
        asked=tuple(asked),
        few=tuple(one.about(choose(one.footage, one.names, FEW)) for one in asked),
        gallery=shown_clips(asked, gallery_clips),
        groups=tuple(groups),
        attributions=attributions,
        grades=tuple(grades),
        models=models,
        notices=tuple(material.notices),
    )


def shown_clips(asked: Sequence[Asked], count: int) -> tuple[Asked, ...]:
    """`count` of the clips that every model is asked about; for each model and clip the first run that is asked."""
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
            shown.append(one.about([one.footage.names.index(name) for name in names if first[name] is one]))
    return tuple(shown)


def _file_digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
