"""The report of an experiment: its sections, on a page and as files."""

from pathlib import Path
from typing import Any

from hybrid.data.simulated import is_simulated
from hybrid.display.pages import Section, rendered
from hybrid.display.tables import counted
from hybrid.errors import UserError
from hybrid.evaluation.results import ExperimentResults
from hybrid.evaluation.too_short import too_short
from hybrid.files import write_text
from hybrid.folders import ExperimentFolder
from hybrid.report.ablations import ablations
from hybrid.report.best_epoch import best_epoch
from hybrid.report.clips import hardest_clips
from hybrid.report.comparisons import contrasts
from hybrid.report.data import ReportData, report_data
from hybrid.report.figures import cost, draw_curves, folds, read_curves
from hybrid.report.leaks import leak_notes, motion_notes, split_notes, twin_notes, ungrouped_notes
from hybrid.report.provenance import missing_runs, provenance
from hybrid.report.results import results
from hybrid.report.shares import shares
from hybrid.report.simulated import lags, learned

SECTIONS = (results, folds, best_epoch, contrasts, lags, learned, shares, ablations, cost, hardest_clips, provenance)
"""in the order of the page, each `section(data) -> Section | None`"""


def write_unfinished(folder: ExperimentFolder) -> str:
    """A page of an experiment without a finished run: its learning curves so far. Returns what to print."""
    runs = folder.unfinished_runs()
    if not runs:
        raise UserError(f"{folder.path}: no run of it has an epoch behind it, there is nothing to report")
    config = runs[0].read_config()
    settings = config["protocol"]
    curves = read_curves(folder, dict.fromkeys(run.arm for run in runs))
    contents = {
        "experiment": folder.path.name,
        "simulated": is_simulated(Path(config["data"]["root"])),
        "short": too_short(settings, [config.get("model", {}).get("pretrained", "none")]),
        "leaks": [],
        "notices": [],
        "facts": [counted(len(curves), "model"), "no run is done"],
        "missing": missing_runs(folder, []),
        "sections": [Section("results", "Learning so far", pictures=(draw_curves(curves, folder.report),))],
    }
    write_text(folder.report / "index.html", rendered("hybrid.report", "page.html.j2", contents))
    return f"no run is done yet; learning curves so far: {folder.report / 'index.html'}"


def write_page(everything: ExperimentResults) -> str:
    """Write index.html, the tables and the figures into the experiment's report/. Returns what to print."""
    data, report = report_data(everything), everything.folder.report
    protocol = everything.runs[0].folder.read_config()["protocol"]
    sections = [made for section in SECTIONS if (made := section(data)) is not None]
    for section in sections:
        section.write(report)
    contents = {
        "experiment": everything.folder.path.name,
        "simulated": data.results.simulated,
        "short": too_short(protocol, [run.result.get("pretrained", "none") for run in everything.runs]),
        "leaks": [
            *motion_notes(everything),
            *leak_notes(everything.results),
            *split_notes(everything),
            *twin_notes(everything),
            *ungrouped_notes(everything),
        ],
        "facts": _facts(data, protocol),
        "missing": (missing := missing_runs(everything.folder, [run.folder.label for run in everything.runs])),
        "notices": [f"not known: {everything.missing}"] if everything.dataset is None else everything.dataset.notices,
        "sections": sections,
    }
    write_text(report / "index.html", rendered("hybrid.report", "page.html.j2", contents))
    printed = [section.printed for section in sections if section.printed]
    if short := contents["short"]:
        printed.append(f"{short} is too short to rank models: order, differences and intervals mean nothing.")
    incomplete = [f"incomplete: {counted(len(missing), 'run')} missing, which the page names"] if missing else []
    return "\n".join([*printed, *incomplete, f"report: {report / 'index.html'}"])


def _facts(data: ReportData, settings: dict[str, Any]) -> list[str]:
    results = data.results
    repeats, folds = (len({run.result[key] for run in results.runs}) for key in ("repeat", "fold"))
    return [
        counted(len(data.frame), "model"),
        f"{counted(folds, 'fold')} × {counted(repeats, 'repeat')}",
        counted(results.predictions["clip"].nunique(), "clip"),
        f"{settings['size']} size",
        f"{settings['num_frames']} frames, {settings['crop_size']} px",
        counted(settings["epochs"], "epoch"),
    ]
