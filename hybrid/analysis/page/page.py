"""The results page of an analysis: one file with everything in it."""

from collections.abc import Mapping
from importlib.metadata import version

from hybrid.analysis.agreement import frame_agreement
from hybrid.analysis.clips import ClipSet
from hybrid.analysis.comparison import Comparison, read_comparisons
from hybrid.analysis.page.context import PageContext
from hybrid.analysis.page.differences import by_pair, caution, sentence, summary
from hybrid.analysis.page.gallery import build_gallery, draw_figure_two
from hybrid.analysis.page.sections import agreement_chapter, chapters, definition
from hybrid.analysis.page.tables import figures_table, values_frame
from hybrid.analysis.plan import AnalysisPlan, RunOnClips
from hybrid.display.pages import rendered
from hybrid.display.tables import counted
from hybrid.errors import UserError
from hybrid.files import software_commit, whole_file, write_text


def write_page(plan: AnalysisPlan) -> str:
    """Write index.html, the table (csv, md, tex), values.csv and the figures (svg, png); return what to print."""
    comparisons, page = read_comparisons(plan), PageContext.of(plan)
    if not comparisons:
        raise UserError(f"{plan.folder}: holds no answer of any measure to show")
    made, every = chapters(comparisons, page), list(comparisons.values())
    if (agreement := frame_agreement(comparisons)) is not None:
        made.append(agreement_chapter(agreement, page))
        every.append(agreement)
    found = [one for chapter in made if not chapter.banner for section in chapter.sections for one in section.found]
    titles = [style.title for style in page.styles.values()]
    table = figures_table(every, page)
    table.write(plan.folder)
    with whole_file(plan.folder / "values.csv") as temporary:
        values_frame(every).to_csv(temporary, index=False)
    text = rendered(
        "hybrid.analysis.page",
        "analysis.html.j2",
        {
            "title": ", ".join(titles) if len(titles) < 7 else f"{len(titles)} models",
            "simulated": plan.simulated,
            "facts": _facts(plan),
            "notices": plan.notices,
            "table": table,
            "styles": page.styles,
            "summary": summary(found, plan.pairs, page),
            "pairs": by_pair(found, plan.pairs),
            "caution": caution(found) if found else "",
            "chapters": made,
            "words": lambda one: sentence(one, page),
            "skipped": _skipped(plan, comparisons),
            "methods": [(method.title, definition(method), method.source) for method in plan.attributions.values()],
            "gallery": build_gallery(page),
            "figure_two": draw_figure_two(page),
            "provenance": _provenance(plan),
        },
    )
    write_text(plan.folder / "index.html", text)
    return f"results page: {plan.folder / 'index.html'}"


def _skipped(plan: AnalysisPlan, comparisons: Mapping[str, Comparison]) -> list[tuple[str, str]]:
    """Measures without any result, and why; of those that need masks, the group."""
    skipped = []
    for group in plan.groups:
        if not plan.runs_for(group):
            skipped.append((group.title, "the clips have no masks of head and tail (masks/)"))
        else:
            without = [measure.title for name, measure in group.measures.items() if name not in comparisons]
            skipped += [(title, "it applies to none of these models") for title in without]
    return skipped


def _facts(plan: AnalysisPlan) -> list[str]:
    runs = {label: len(plan.runs_of(label)) for label in plan.labels}
    each = sorted({len(run.numbers) for run in plan.runs})
    clips = {name for run in plan.runs for name in run.clip_names}
    spec = plan.runs[0].clip_set.spec
    return [
        counted(len(runs), "model"),
        "one training each" if set(runs.values()) == {1} else f"{sum(runs.values())} trainings in all",
        f"{counted(len(clips), 'clip')}, {' or '.join(map(str, each))} for each training",
        f"{spec.num_frames} frames at {spec.frame_rate:g} a second, {spec.side} px",
    ]


def _provenance(plan: AnalysisPlan) -> list[tuple[str, str]]:
    def content(clips: ClipSet) -> str:
        return clips.root.name + (f", content {clips.fingerprint}" if clips.fingerprint else "")

    def origin(run: RunOnClips) -> str:
        return f"{run.trained_run.experiment_name} {run.name} ({run.checkpoint_digest})"

    return [
        ("clips", "; ".join(dict.fromkeys(content(run.clip_set) for run in plan.runs))),
        *((label, "; ".join(map(origin, plan.runs_of(label)))) for label in plan.labels),
        ("versions", " · ".join(f"{name} {version(name)}" for name in ("torch", "captum", "numpy"))),
        ("analysed at commit", software_commit() or "no git repository"),
    ]
