"""What the page shows of each measure: definition, source, figures, differences in words."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from hybrid.analysis.answers import Answers
from hybrid.analysis.attribution import Attribution
from hybrid.analysis.between import between
from hybrid.analysis.group import Group
from hybrid.analysis.measure import Measure
from hybrid.analysis.study import Study
from hybrid.display.figures import Picture
from hybrid.report.analysis.curves import draw_curves
from hybrid.report.analysis.intervals import draw_intervals
from hybrid.report.analysis.look import Look, slug
from hybrid.report.analysis.maps import draw_maps
from hybrid.report.analysis.parts import KINDS, PARTS, draw_parts, method_of
from hybrid.report.analysis.sentences import Comparison, comparisons

REFERENCES = ("uniform", "random order")
"""how figures begin that others are read beside, and that say nothing of a model themselves"""


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
    group_of = {name: group for group in study.groups for name in group.measures}
    drawn = {
        name: _section(answers, group_of[name], study, looks, folder)
        for name, answers in tqdm(gathered.items(), desc="drawing", unit="measure", disable=None, leave=False)
        if not group_of[name].needs_masks
    }
    made = []
    for group in study.groups:
        methods = [gathered[name] for name in group.measures if name in gathered and group.needs_masks]
        sections = [_parts(methods, study, looks, folder)] if methods else []
        sections += [drawn[name] for name in group.measures if name in drawn]
        if sections:
            made.append(Chapter(group.name, group.title, group.about, sections))
    return made


def agreement_chapter(answers: Answers, study: Study, looks: dict[str, Look], folder: Path) -> Chapter:
    group = Group("agreement", "Agreement", "Do different measures say the same of single frames?", {}, of_methods=True)
    return Chapter(group.name, group.title, group.about, [_section(answers, group, study, looks, folder)])


def _section(answers: Answers, group: Group, study: Study, looks: dict[str, Look], folder: Path) -> Section:
    measure, figures = answers.measure, answers.names("figures")
    curves = [name for name in answers.names("curves") if _shown(name, group)]
    pictures = [draw_curves(answers, name, looks, folder) for name in curves]
    for name in answers.names("matrices"):
        maps = {looks[label].title: m for label in answers.labels if (m := answers.matrix(label, name)) is not None}
        # A single row is that of a model of one frame: beside it, in its scale, the others would be dark.
        maps = {title: m for title, m in maps.items() if len(m.rows) > 1} or maps
        pictures.append(draw_maps(maps, f"{measure.name}-map-{slug(name)}", f"{measure.title}: {name}", folder))
    if measure.name == "cka":
        pictures += _between(study, looks, folder)
    if figures:
        pictures.append(draw_intervals(answers, figures, looks, folder))
    return Section(
        measure.name,
        measure.title,
        definition(measure),
        measure.source,
        pictures,
        comparisons(answers, _compared(figures, group), f"{measure.name}-figures", study.pairs),
        [looks[label].title for label in study.labels if label not in answers.labels],
    )


def _compared(figures: Sequence[str], group: Group) -> list[str]:
    return [] if group.of_methods else [name for name in figures if not name.startswith(REFERENCES)]


def _shown(curve: str, group: Group) -> bool:
    """Of a sanity check's curves those of the rank correlation, which all of them have."""
    return not group.of_methods or curve.endswith("rank correlation")


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
        for one in comparisons(
            answers,
            [f"{kind.name} {part}" for part in PARTS],
            f"parts-{kind.name}",
            study.pairs,
            method_of(answers),
        )
    ]
    pictures = [draw_parts(methods, kind, looks, folder) for kind in KINDS]
    missing = [look.title for label, look in looks.items() if not any(label in answers.labels for answers in methods)]
    return Section("parts", "Relevance on head and tail", definition(first), first.source, pictures, found, missing)


def definition(what: Measure | Attribution) -> list[str]:
    """The paragraphs of its class's docstring, behind those of the class it extends: it is written down once."""
    classes = [
        kind for kind in reversed(type(what).mro()) if kind not in (object, Measure, Attribution) and kind.__doc__
    ]
    paragraphs = [paragraph for kind in classes for paragraph in inspect.cleandoc(kind.__doc__).split("\n\n")]
    return [paragraph.replace("\n", " ").replace("`", "") for paragraph in paragraphs]
