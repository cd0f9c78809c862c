"""What the page shows of each measure: definition, source, figures, differences in words."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid.analysis.answers import Answers
from hybrid.analysis.attribution import Attribution
from hybrid.analysis.between import between
from hybrid.analysis.group import Group
from hybrid.analysis.measure import Measure
from hybrid.analysis.study import Study
from hybrid.report.analysis.curves import draw_curves
from hybrid.report.analysis.intervals import draw_intervals
from hybrid.report.analysis.look import Look, slug
from hybrid.report.analysis.maps import draw_maps
from hybrid.report.analysis.parts import KINDS, PARTS, draw_parts
from hybrid.report.analysis.sentences import Comparison, comparisons
from hybrid.report.drawing import Picture


@dataclass(frozen=True)
class Section:
    """One measure. definition: paragraphs. missing: titles of models that it does not apply to."""

    name: str
    title: str
    definition: list[str]
    source: str
    pictures: list[Picture]
    found: list[Comparison]
    missing: list[str]


@dataclass(frozen=True)
class Chapter:
    """A group of measures with what its models answered."""

    name: str
    title: str
    about: str
    sections: list[Section]


def chapters(study: Study, gathered: Mapping[str, Answers], looks: dict[str, Look], folder: Path) -> list[Chapter]:
    """Of the groups that have been answered."""
    made = []
    for group in study.groups:
        answered = [gathered[name] for name in group.measures if name in gathered]
        if not answered:
            continue
        if group.needs_masks:
            sections = [_parts(answered, study, looks, folder)]
        else:
            sections = [_section(answers, group, study, looks, folder) for answers in answered]
        made.append(Chapter(group.name, group.title, group.about, sections))
    return made


def agreement_chapter(answers: Answers, study: Study, looks: dict[str, Look], folder: Path) -> Chapter:
    section = _section(answers, None, study, looks, folder)
    return Chapter("agreement", "Agreement", "Do different measures say the same of single frames?", [section])


def _section(answers: Answers, group: Group | None, study: Study, looks: dict[str, Look], folder: Path) -> Section:
    measure, figures = answers.measure, answers.names("figures")
    of_methods = group is not None and group.of_methods
    pictures = [
        draw_curves(answers, name, looks, folder) for name in answers.names("curves") if _shown(name, of_methods)
    ]
    for name in answers.names("matrices"):
        maps = {looks[label].title: m for label in answers.labels if (m := answers.matrix(label, name)) is not None}
        pictures.append(draw_maps(maps, f"{measure.name}-map-{slug(name)}", f"{measure.title}: {name}", folder))
    if measure.name == "cka":
        pictures += _between(study, looks, folder)
    if figures:
        pictures.append(draw_intervals(answers, figures, looks, folder))
    found = [] if of_methods else comparisons(answers, figures, f"{measure.name}-figures", study.pairs)
    return Section(
        measure.name,
        measure.title,
        definition(measure),
        measure.source,
        pictures,
        found,
        _missing(answers, study, looks),
    )


def _shown(curve: str, of_methods: bool) -> bool:
    """Of a sanity check's curves those of the rank correlation, which all of them have."""
    return not of_methods or curve.endswith("rank correlation")


def _between(study: Study, looks: dict[str, Look], folder: Path) -> list[Picture]:
    return [
        draw_maps(
            {f"{looks[first].title} (rows), {looks[second].title}": m for (first, second), m in maps.items()},
            f"cka-between-{kind}",
            f"Similarity of the layers of two models, and of two trainings of one: {kind}",
            folder,
        )
        for kind, maps in between(study).items()
    ]


def _parts(methods: Sequence[Answers], study: Study, looks: dict[str, Look], folder: Path) -> Section:
    """All methods in one: the same figures of each."""
    first = methods[0].measure
    found = [
        one
        for answers in methods
        for kind in KINDS
        for one in comparisons(answers, [f"{kind.name} {part}" for part in PARTS], f"parts-{kind.name}", study.pairs)
    ]
    pictures = [draw_parts(methods, kind, looks, folder) for kind in KINDS]
    missing = [look.title for label, look in looks.items() if not any(label in answers.labels for answers in methods)]
    return Section("parts", "Relevance on head and tail", definition(first), first.source, pictures, found, missing)


def _missing(answers: Answers, study: Study, looks: dict[str, Look]) -> list[str]:
    return [looks[label].title for label in study.labels if label not in answers.labels]


def definition(what: Measure | Attribution) -> list[str]:
    """The paragraphs of the docstring of its class: the definition is written down once."""
    return [paragraph.replace("\n", " ") for paragraph in (inspect.getdoc(type(what)) or "").split("\n\n")]
