"""Whether a data set's grades follow from its clips' motion (tools/grade_by_motion.py), so that no panel gave them."""

import hashlib
from pathlib import Path

from hybrid.data.paths import LABELS
from hybrid.files import read_json, write_json

MARK = "graded_by_motion.json"
"""lies beside labels.csv and goes where it goes; once labels.csv holds other votes it says nothing"""


def mark_graded_by_motion(root: Path) -> None:
    write_json(root / MARK, {LABELS: _digest(root)})


def is_graded_by_motion(root: Path) -> bool:
    if not ((root / MARK).is_file() and (root / LABELS).is_file()):
        return False
    return read_json(root / MARK) == {LABELS: _digest(root)}


def _digest(root: Path) -> str:
    """Of the table's lines, however a program ends them."""
    lines = (root / LABELS).read_bytes().splitlines()
    return hashlib.sha256(b"\n".join(line.rstrip() for line in lines if line.strip())).hexdigest()[:12]
