"""A data set in the making: a folder that one program at a time fills, and that the next one goes on with."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from hybrid.files import read_json, write_json


@contextlib.contextmanager
def held_folder(root: Path, record: dict) -> Iterator[Path]:
    """The folder `.<root>.<hash of the request>.partial` beside `root`, for this program alone; another one that makes
    the same data set is waited for. The system gives the folder free when a program ends, however it ends."""
    name = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:8]
    folder = root.absolute().parent / f".{root.name}.{name}.partial"
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(handle)


def rows_path(folder: Path, first: int) -> Path:
    """Where the rows of the chunk of clips that begins with clip `first` are; the file's presence means: all made."""
    return folder / "rows" / f"{first:07d}.json"


def write_rows(path: Path, rows: list[dict]) -> None:
    """Written last of a chunk, whole."""
    write_json(path, json.loads(json.dumps(rows, default=lambda value: value.tolist())))


def read_rows(folder: Path) -> list[dict]:
    """Of all chunks, in order."""
    return [row for path in sorted((folder / "rows").glob("*.json")) for row in read_json(path)]
