"""The report of an experiment, from what its runs have left behind; written again only where something has changed."""

import hashlib
from pathlib import Path

from hybrid.files import read_json, write_json
from hybrid.folders import ExperimentFolder

SOFTWARE = Path(__file__).parent.parent


def write_report(folder: ExperimentFolder, *, anew: bool = False) -> str:
    """Write report/: index.html, the tables (csv, md, tex) and the figures (svg, png). Returns what to print.

    Where nothing has changed since the last time, that report stays; anew: write it all the same.
    """
    if not anew and (summary := cached_summary(folder)) is not None:
        return summary
    summary = _write(folder)
    write_json(_cache(folder), {"made_of": made_of(folder), "summary": summary})
    return summary


def _write(folder: ExperimentFolder) -> str:
    # Here, because these bring torch and matplotlib, which a report that is there already does not need.
    from hybrid.evaluation.results import load_experiment
    from hybrid.report.page import write_page, write_unfinished

    if not folder.done_runs():
        return write_unfinished(folder)
    return write_page(load_experiment(folder))


def cached_summary(folder: ExperimentFolder) -> str | None:
    """What was printed when the report was written, unless the runs, the software or the page are others now."""
    try:
        cached = read_json(_cache(folder))
    except (OSError, ValueError):
        return None
    whole = (folder.report / "index.html").exists() and cached.get("made_of") == made_of(folder)
    return cached["summary"] if whole else None


def made_of(folder: ExperimentFolder) -> str:
    """A digest of the state of every file that the report reads, wherever the folder lies, and of the code that writes
    it."""
    files = [path for name in ("result.json", "error.txt") for path in folder.path.glob(f"*/repeat*-fold*/{name}")]
    files += [path for path in (folder.folds, folder.ablations, folder.planned) if path.exists()]
    rooms = [SOFTWARE / room for room in ("data", "display", "report", "evaluation")]
    code = [path for room in rooms for path in room.rglob("*.*") if path.suffix != ".pyc"]
    within = [(path, folder.path) for path in sorted(files)] + [(path, SOFTWARE) for path in sorted(code)]
    states = [f"{path.relative_to(top)} {path.stat().st_size} {path.stat().st_mtime_ns}" for path, top in within]
    return hashlib.sha256("\n".join(states).encode()).hexdigest()[:16]


def _cache(folder: ExperimentFolder) -> Path:
    return folder.report / ".made.json"
