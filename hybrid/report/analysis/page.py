"""The results page of an analysis: one file with everything in it, as the benchmark's."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from hybrid.analysis.answers import Answers, gather
from hybrid.analysis.attribution import Attribution
from hybrid.analysis.measure import Measure
from hybrid.analysis.study import Study
from hybrid.commit import software_commit
from hybrid.errors import UserError
from hybrid.files import whole_file, write_text
from hybrid.report.analysis.all_figures import all_figures, every_number
from hybrid.report.analysis.curves import draw_curves
from hybrid.report.analysis.gallery import build_gallery
from hybrid.report.analysis.intervals import draw_intervals
from hybrid.report.analysis.look import Look, looks
from hybrid.report.analysis.maps import draw_maps
from hybrid.report.analysis.sentences import Comparison, by_pair, caution, compared, comparisons, sentence
from hybrid.report.drawing import Picture
from hybrid.report.page import rendered


@dataclass(frozen=True)
class Section:
    """One measure. definition: paragraphs. missing: titles of models that it does not apply to."""

    name: str
    title: str
    definition: list[str]
    source: str
    native: bool
    pictures: list[Picture]
    sentences: list[str]
    missing: list[str]


def write_analysis(study: Study) -> str:
    """Write index.html, the table (csv, md, tex), values.csv and the figures (svg, png); return what to print."""
    gathered, look = gather(study), looks(study)
    if not gathered:
        raise UserError(f"{study.folder}: holds no answer of any measure to show")
    pairs = compared(study.labels)
    found = {answers.measure.name: comparisons(answers, pairs) for answers in gathered}
    everything = [one for some in found.values() for one in some]
    table = all_figures(gathered, look)
    table.write(study.folder)
    with whole_file(study.folder / "values.csv") as temporary:
        every_number(gathered).to_csv(temporary, index=False)
    gallery = build_gallery(study, look, study.folder / "strips")
    page = rendered(
        "analysis.html.j2",
        {
            "title": ", ".join(one.title for one in look.values()) if len(look) < 4 else f"{len(look)} models",
            "simulated": study.simulated,
            "facts": _facts(study),
            "notices": study.notices,
            "table": table,
            "looks": look,
            "pairs": by_pair(everything, pairs),
            "caution": caution(everything) if everything else "",
            "sections": [_section(answers, found[answers.measure.name], look, study) for answers in gathered],
            "skipped": _skipped(study, gathered),
            "methods": [_method(method) for method in study.attributions.values()],
            "gallery": gallery,
            "origin": _origin(study),
        },
    )
    path = study.folder / "index.html"
    write_text(path, page)
    return f"results page: {path}"


def _section(answers: Answers, found: list[Comparison], look: dict[str, Look], study: Study) -> Section:
    folder, measure = study.folder / "figures", answers.measure
    figures = answers.names("figures")
    pictures = [
        *(draw_curves(answers, name, look, folder) for name in answers.names("curves")),
        *(draw_maps(answers, name, look, folder) for name in answers.names("matrices")),
        *([draw_intervals(answers, figures, look, folder)] if figures else []),
    ]
    return Section(
        name=measure.name,
        title=measure.title,
        definition=definition(measure),
        source=measure.source,
        native=type(measure).applies_to is not Measure.applies_to,
        pictures=pictures,
        sentences=[sentence(one, look) for one in found],
        missing=[look[label].title for label in study.labels if label not in answers.labels],
    )


def definition(what: Measure | Attribution) -> list[str]:
    """The paragraphs of the docstring of its class: the definition is written down once."""
    return [paragraph.replace("\n", " ") for paragraph in (inspect.getdoc(type(what)) or "").split("\n\n")]


def _skipped(study: Study, gathered: Sequence[Answers]) -> list[tuple[str, str]]:
    """Measures without any answer, and why."""
    answered = {answers.measure.name for answers in gathered}
    return [
        (measure.title, "it applies to none of these models")
        for name, measure in study.measures.items()
        if name not in answered
    ]


def _method(method: Attribution) -> tuple[str, list[str], str]:
    return method.title, definition(method), method.source


def _facts(study: Study) -> list[str]:
    runs = {label: len(study.of(label)) for label in study.labels}
    each = sorted({len(asked.numbers) for asked in study.asked})
    clips = {name for asked in study.asked for name in asked.names}
    spec = study.asked[0].footage.spec
    return [
        _count(len(runs), "model"),
        f"{_count(sum(runs.values()), 'trained model')} in all" if sum(runs.values()) > len(runs) else "one training each",
        f"{_count(len(clips), 'clip')}, {' or '.join(map(str, each))} each",
        f"{spec.num_frames} frames at {spec.frame_rate:g} a second, {spec.side} px",
    ]


def _origin(study: Study) -> list[tuple[str, str]]:
    roots = dict.fromkeys(
        f"{asked.footage.root}" + (f" (content {asked.footage.fingerprint})" if asked.footage.fingerprint else "")
        for asked in study.asked
    )
    return [
        ("clips of", "; ".join(roots)),
        *((label, "; ".join(f"{a.source.checkpoint} ({a.checkpoint})" for a in study.of(label))) for label in study.labels),
        ("versions", " · ".join(f"{name} {version(name)}" for name in ("torch", "captum", "numpy"))),
        ("analysed at commit", software_commit() or "no git repository"),
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
