"""Which clips must not be split between training and test: those of one video, or of one donor where a table says whose
each video is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hybrid.data.paths import group_name, plain_name
from hybrid.data.problems import Problems, some_of
from hybrid.data.table import read_table


def groups_of(videos: Sequence[Path], donors: Path | None) -> tuple[dict[Path, str], list[str]]:
    """The group of each video, and what is odd about the table. donors: CSV with the columns video, donor; a video's
    name is written with or without its ending."""
    if donors is None:
        return {video: plain_name(video.stem) for video in videos}, []
    problems = Problems(f"donors {donors}")
    table = read_table(donors, ("video", "donor"), problems)
    problems.raise_if_any()
    known: dict[str, str] = {}
    for row in table.rows:
        name, donor = plain_name(row.cells["video"]), group_name(row.cells["donor"])
        if not name or not donor:
            problems.add(f"{donors.name} row {row.line}: video or donor is empty")
        elif name in known:
            problems.add(f"{donors.name} row {row.line}: video {name!r} is there already")
        known[name] = donor
    groups, used = {}, set()
    for video in videos:
        name = next((name for name in map(plain_name, (video.name, video.stem)) if name in known), None)
        if name is None:
            problems.add(f"{donors.name}: has no row for {video.name}")
        else:
            groups[video] = known[name]
            used.add(name)
    problems.raise_if_any()
    unused = sorted(set(known) - used)
    return groups, [f"{donors.name} names videos that are not among these: {some_of(unused)}"] if unused else []
