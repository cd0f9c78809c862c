"""The results page of an analysis: one file with everything in it, as the benchmark's."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from hybrid.analysis.answers import Answers, gather
from hybrid.analysis.frame_agreement import frame_agreement
from hybrid.analysis.study import Study
from hybrid.commit import software_commit
from hybrid.display.pages import rendered
from hybrid.errors import UserError
from hybrid.files import whole_file, write_text
from hybrid.report.analysis.all_figures import all_figures, every_number
from hybrid.report.analysis.gallery import build_gallery, draw_figure_two
from hybrid.report.analysis.look import looks
from hybrid.report.analysis.sections import agreement_chapter, chapters, definition
from hybrid.report.analysis.sentences import by_pair, caution, sentence


def write_analysis(study: Study) -> str:
    """Write index.html, the table (csv, md, tex), values.csv and the figures (svg, png); return what to print."""
    gathered, look, figures = gather(study), looks(study), study.folder / "figures"
    if not gathered:
        raise UserError(f"{study.folder}: holds no answer of any measure to show")
    agreement = frame_agreement(gathered)
    made = chapters(study, gathered, look, figures)
    if agreement is not None:
        made.append(agreement_chapter(agreement, study, look, figures))
    found = [one for chapter in made for section in chapter.sections for one in section.found]
    every = [*gathered.values(), *([agreement] if agreement is not None else [])]
    table = all_figures(every, look)
    table.write(study.folder)
    with whole_file(study.folder / "values.csv") as temporary:
        every_number(every).to_csv(temporary, index=False)
    page = rendered(
        "hybrid.report",
        "analysis.html.j2",
        {
            "title": ", ".join(one.title for one in look.values()) if len(look) < 7 else f"{len(look)} models",
            "simulated": study.simulated,
            "facts": _facts(study),
            "notices": study.notices,
            "table": table,
            "looks": look,
            "pairs": by_pair(found, study.pairs),
            "caution": caution(found) if found else "",
            "chapters": made,
            "words": lambda one: sentence(one, look),
            "skipped": _skipped(study, gathered),
            "methods": [(method.title, definition(method), method.source) for method in study.attributions.values()],
            "gallery": build_gallery(study, look, study.folder / "strips"),
            "figure_two": draw_figure_two(study, figures),
            "origin": _origin(study),
        },
    )
    write_text(study.folder / "index.html", page)
    return f"results page: {study.folder / 'index.html'}"


def _skipped(study: Study, gathered: Mapping[str, Answers]) -> list[tuple[str, str]]:
    """Measures without any answer, and why; of those that want masks, the group."""
    skipped = []
    for group in study.groups:
        if not study.asked_by(group):
            skipped.append((group.title, "the clips have no masks of head and tail (masks/)"))
        else:
            without = [measure.title for name, measure in group.measures.items() if name not in gathered]
            skipped += [(title, "it applies to none of these models") for title in without]
    return skipped


def _facts(study: Study) -> list[str]:
    runs = {label: len(study.of(label)) for label in study.labels}
    each = sorted({len(asked.numbers) for asked in study.asked})
    clips = {name for asked in study.asked for name in asked.names}
    spec = study.asked[0].footage.spec
    return [
        _count(len(runs), "model"),
        "one training each" if set(runs.values()) == {1} else f"{sum(runs.values())} trainings in all",
        f"{_count(len(clips), 'clip')}, {' or '.join(map(str, each))} for each training",
        f"{spec.num_frames} frames at {spec.frame_rate:g} a second, {spec.side} px",
    ]


def _origin(study: Study) -> list[tuple[str, str]]:
    roots = dict.fromkeys(
        f"{asked.footage.root.name}" + (f", content {asked.footage.fingerprint}" if asked.footage.fingerprint else "")
        for asked in study.asked
    )
    return [
        ("clips", "; ".join(roots)),
        *(
            (label, "; ".join(f"{a.source.home} {a.source.run} ({a.checkpoint})" for a in study.of(label)))
            for label in study.labels
        ),
        ("versions", " · ".join(f"{name} {version(name)}" for name in ("torch", "captum", "numpy"))),
        ("analysed at commit", software_commit() or "no git repository"),
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
