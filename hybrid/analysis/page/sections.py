"""What the page shows of each measure: definition, source, figures, differences in words."""

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from hybrid.analysis.base import Method
from hybrid.analysis.comparison import Comparison
from hybrid.analysis.model_pairs import mean_by_pair
from hybrid.analysis.page.context import PageContext, slug
from hybrid.analysis.page.differences import ModelDifference, differences
from hybrid.analysis.page.figures import KINDS, PARTS, draw_curves, draw_intervals, draw_matrices, draw_parts, method_of
from hybrid.display.figures import Picture

REFERENCES = ("uniform", "random order")
"""how figures begin that others are read beside, and that say nothing of a model themselves"""


APART = (
    "Not of these clips: cells drawn by the simulator, which differ in one property alone. No evidence about real "
    "sperm, and not among what differs above."
)


@dataclass(frozen=True)
class Section:
    """One measure. definition: paragraphs. missing: titles of models that it does not apply to."""

    name: str
    title: str
    definition: list[str]
    source: str
    pictures: list[Picture]
    found: list[ModelDifference]
    missing: list[str]


@dataclass(frozen=True)
class Chapter:
    """A group of measures with what its models answered."""

    name: str
    title: str
    about: str
    sections: list[Section]
    banner: str = ""
    """what to know before reading it"""


def chapters(comparisons: Mapping[str, Comparison], page: PageContext) -> list[Chapter]:
    """Of the groups that have been answered."""
    group_of = {name: group for group in page.plan.groups for name in group.measures}
    drawn = {
        name: _section(comparison, group_of[name].of_methods, page)
        for name, comparison in tqdm(comparisons.items(), desc="drawing", unit="measure", disable=None, leave=False)
        if not group_of[name].needs_masks
    }
    made = []
    apart = [name for name in drawn if comparisons[name].measure.rendered and not page.plan.simulated]
    rendered = [drawn.pop(name) for name in apart]
    for group in page.plan.groups:
        methods = [comparisons[name] for name in group.measures if name in comparisons and group.needs_masks]
        sections = [_parts(methods, page)] if methods else []
        sections += [drawn[name] for name in group.measures if name in drawn]
        if sections:
            made.append(Chapter(group.name, group.title, group.about, sections))
    if rendered:
        made.append(
            Chapter("rendered", "Simulated cells", "Asked about cells that the simulator draws.", rendered, APART)
        )
    return made


def agreement_chapter(comparison: Comparison, page: PageContext) -> Chapter:
    about = "Do different measures say the same of single frames?"
    return Chapter("agreement", "Agreement", about, [_section(comparison, True, page)])


def _section(comparison: Comparison, of_methods: bool, page: PageContext) -> Section:
    measure, figures = comparison.measure, comparison.names("figures")
    # Of a sanity check's curves those of the rank correlation, which all of them have.
    curves = [name for name in comparison.names("curves") if not of_methods or name.endswith("rank correlation")]
    pictures = [draw_curves(comparison, name, page) for name in curves]
    for name in comparison.names("matrices"):
        maps = {
            page.title(label): m for label in comparison.labels if (m := comparison.matrix(label, name)) is not None
        }
        # A single row is that of a model of one frame: beside it, in its scale, the others would be dark.
        maps = {title: m for title, m in maps.items() if len(m.rows) > 1} or maps
        pictures.append(draw_matrices(maps, f"{measure.name}-map-{slug(name)}", f"{measure.title}: {name}", page))
    if measure.name == "cka":
        for kind, by_pair in mean_by_pair(page.plan).items():
            maps = {f"{page.title(one)} (rows), {page.title(other)}": m for (one, other), m in by_pair.items()}
            about = f"Similarity of the layers of two models, and of two trainings of one: {kind}"
            pictures.append(draw_matrices(maps, f"cka-between-{kind}", about, page))
    if figures:
        pictures.append(draw_intervals(comparison, figures, page))
    compared = [name for name in figures if not of_methods and not name.startswith(REFERENCES)]
    return Section(
        measure.name,
        measure.title,
        definition(measure),
        measure.source,
        pictures,
        differences(comparison, compared, f"{measure.name}-figures", page.plan.pairs),
        [page.title(label) for label in page.plan.labels if label not in comparison.labels],
    )


def _parts(methods: Sequence[Comparison], page: PageContext) -> Section:
    """All methods in one: the same figures of each."""
    first = methods[0].measure
    found = [
        one
        for comparison in methods
        for kind in KINDS
        for one in differences(
            comparison,
            [f"{kind.name} {part}" for part in PARTS],
            f"parts-{kind.name}",
            page.plan.pairs,
            method_of(comparison),
        )
    ]
    pictures = [draw_parts(methods, kind, page) for kind in KINDS]
    missing = [
        style.title
        for label, style in page.styles.items()
        if not any(label in comparison.labels for comparison in methods)
    ]
    return Section("parts", "Relevance on head and tail", definition(first), first.source, pictures, found, missing)


def definition(method: Method) -> list[str]:
    """The paragraphs of its class's docstring, behind those of the class it extends: it is written down once.

    A field of the method that it names is shown as its value: 'the mean of `draws`' is 'the mean of 4'.
    """
    interfaces = ("builtins", Method.__module__)
    docs = [kind.__doc__ for kind in reversed(type(method).mro()) if kind.__module__ not in interfaces]
    paragraphs = [paragraph for doc in docs if doc for paragraph in inspect.cleandoc(doc).split("\n\n")]
    return [
        re.sub(r"`([^`]*)`", lambda match: str(getattr(method, match[1], match[1])), paragraph.replace("\n", " "))
        for paragraph in paragraphs
    ]
