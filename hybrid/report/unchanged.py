"""Whether a report is still that of its runs: then writing it again would change nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hybrid.files import read_json, write_json
from hybrid.folders import ExperimentFolder

SOFTWARE = Path(__file__).parent.parent


def kept_summary(folder: ExperimentFolder) -> str | None:
    """What was printed when the report was written, unless the runs, the software or the page are others now."""
    try:
        kept = read_json(_path(folder))
    except (OSError, ValueError):
        return None
    whole = (folder.report / "index.html").exists() and kept.get("made_of") == made_of(folder)
    return kept["summary"] if whole else None


def keep_summary(folder: ExperimentFolder, summary: str) -> None:
    write_json(_path(folder), {"made_of": made_of(folder), "summary": summary})


def made_of(folder: ExperimentFolder) -> str:
    """A digest of the state of every file that the report reads, and of the code that writes it."""
    files = [path for name in ("result.json", "error.txt") for path in folder.path.glob(f"*/repeat*-fold*/{name}")]
    files += [folder.ablations] if folder.ablations.exists() else []
    rooms = [SOFTWARE / room for room in ("display", "report", "evaluation")]
    code = [path for room in rooms for path in room.rglob("*.*") if path.suffix != ".pyc"]
    states = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sorted(files + code)]
    return hashlib.sha256("\n".join(states).encode()).hexdigest()[:16]


def _path(folder: ExperimentFolder) -> Path:
    return folder.report / ".made.json"
