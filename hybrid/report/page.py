"""The report of an experiment: its sections, on a page and as files."""

from __future__ import annotations

from hybrid.display.pages import rendered
from hybrid.evaluation.results import ExperimentResults
from hybrid.files import read_yaml, write_text
from hybrid.report.ablations import ablations
from hybrid.report.clips import hardest_clips
from hybrid.report.comparisons import contrasts
from hybrid.report.data import ReportData, counted, report_data
from hybrid.report.figures import cost, folds
from hybrid.report.leaks import leak_notes
from hybrid.report.provenance import missing_runs, provenance
from hybrid.report.results import results
from hybrid.report.shares import shares
from hybrid.report.simulated import lags, learned

SECTIONS = (results, folds, contrasts, lags, learned, shares, ablations, cost, hardest_clips, provenance)
"""in the order of the page, each `section(data) -> Section | None`"""


def write_page(everything: ExperimentResults) -> str:
    """Write index.html, the tables and the figures into the experiment's report/. Returns what to print."""
    data, report = report_data(everything), everything.folder.report
    sections = [made for section in SECTIONS if (made := section(data)) is not None]
    for section in sections:
        section.write(report)
    contents = {
        "experiment": everything.folder.path.name,
        "simulated": data.results.simulated,
        "leaks": leak_notes(everything.results),
        "facts": _facts(data),
        "missing": missing_runs(everything),
        "sections": sections,
    }
    write_text(report / "index.html", rendered("hybrid.report", "page.html.j2", contents))
    return "\n".join(
        [*(section.printed for section in sections if section.printed), f"report: {report / 'index.html'}"]
    )


def _facts(data: ReportData) -> list[str]:
    results = data.results
    settings = read_yaml(results.runs[0].folder.config)["protocol"]
    repeats, folds = (len({run.result[key] for run in results.runs}) for key in ("repeat", "fold"))
    return [
        counted(len(data.frame), "model"),
        f"{counted(folds, 'fold')} × {counted(repeats, 'repeat')}",
        counted(results.predictions["clip"].nunique(), "clip"),
        f"{settings['size']} size",
        f"{settings['num_frames']} frames, {settings['crop_size']} px",
        counted(settings["epochs"], "epoch"),
    ]
