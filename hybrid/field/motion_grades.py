"""Grades from the motion of a track alone, to try the program on real pixels before a panel has seen them.

They say how far and how straight a head went, which crop has measured; nothing of form, and no embryologist gave them.
Progress is VSL x STR: net speed, less for detours. STR by itself is no measure of a cell that rests: along boxes that a
labelling program drew between two others by a straight line it is 1. So cells are first parted into those that rest,
whose grade is the worst, and those that go, whose ranks share the other grades equally. A normal distribution around
a clip's place on that scale stands for a panel that does not agree.
"""

from __future__ import annotations

from pathlib import Path, PurePath

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import rankdata

from hybrid.data.graded_by_motion import mark_graded_by_motion
from hybrid.data.numbers import Numbers
from hybrid.data.paths import CLIPS, LABELS, RATINGS
from hybrid.data.problems import Problems
from hybrid.data.table import Table, read_table
from hybrid.errors import UserError
from hybrid.files import write_text

GRADES = "ABCDE"
SLOWEST = 5.0
"""um/s; sperm that progress slower are non-progressive (WHO laboratory manual, 6th edition, 2021)"""


def grade_folder(root: Path, still: float | None, spread: float) -> str:
    """Write labels.csv of a folder that crop has made; what was done, in words.

    still: progress below which a cell rests, in the unit of clips.csv; None: SLOWEST, where that is um/s.
    spread: standard deviation of the distributions, in grades.
    """
    for name, value in (("still", still), ("spread", spread)):
        if value is not None and not 0 < value < np.inf:
            raise UserError(f"--{name} must be above 0, not {value:g}")
    for name in (LABELS, RATINGS):
        if (root / name).exists():
            raise UserError(f"{root / name} is there already: grades from motion never take the place of others")
    clips = read_motion(root)
    unit = clips["unit"].iloc[0]
    if still is None and unit != "um":
        raise UserError(
            f"{root / CLIPS}: speeds are in {unit}/s, so --still has to say below how many {unit}/s a cell rests"
        )
    still = SLOWEST if still is None else still
    goes_N = (clips["vsl"] * clips["str"] >= still).to_numpy()
    if goes_N.sum() < 2:
        raise UserError(
            f"{root / CLIPS}: {goes_N.sum()} of {len(clips)} clips reach {still:g} {unit}/s: nothing to rank"
        )
    place_N = places(clips, still)
    labels = pd.DataFrame(distributions(place_N, spread), columns=list(GRADES))
    labels.insert(0, "clip", clips["clip"])
    labels["group"] = clips["group"]
    write_text(root / LABELS, labels.to_csv(index=False, float_format="%.4f", lineterminator="\n"))
    mark_graded_by_motion(root)
    return (
        f"{len(clips)} clips of {clips['group'].nunique()} tracks; {len(clips) - goes_N.sum()} rest (below {still:g} "
        f"{unit}/s), {goes_N.sum()} are ranked" + ("" if unit == "um" else ", those of each video by themselves")
    )


def read_motion(root: Path) -> pd.DataFrame:
    """A row a clip: clip, group (its track), video, unit, vsl, str."""
    problems = Problems(f"data set {root}")
    table = read_table(root / CLIPS, ("clip", "video", "track", "unit", "vsl", "str"), problems)
    problems.raise_if_any()
    first: dict[str, int] = {}
    for row in table.rows:
        if (line := first.setdefault(row.cells["clip"], row.line)) != row.line:
            problems.add(f"{CLIPS} row {row.line}: clip {row.cells['clip']!r} is in row {line} already")
    clips = pd.DataFrame([row.cells for row in table.rows])
    for name in ("vsl", "str"):
        clips[name] = _numbers(table, name, problems)
    if len(units := sorted(set(clips["unit"]))) > 1:
        problems.add(f"{CLIPS}: speeds are in {' and '.join(units)}, which cannot be compared")
    problems.raise_if_any()
    clips["group"] = clips["video"].map(lambda video: PurePath(video).stem) + "-" + clips["track"]
    return clips[["clip", "group", "video", "unit", "vsl", "str"]]


def _numbers(table: Table, name: str, problems: Problems) -> list[float]:
    texts = [row.cells[name] for row in table.rows]
    numbers = Numbers.of(texts)
    values = [numbers.read(text) for text in texts]
    for row, value in zip(table.rows, values, strict=True):
        if value is None:
            problems.add(f"{table.name} row {row.line}: {name} of clip {row.cells['clip']!r} is {row.cells[name]!r}")
    return [np.nan if value is None else value for value in values]


def places(clips: pd.DataFrame, still: float) -> np.ndarray:
    """Of each clip from 0, the best, to 5: of a cell that rests the middle of the last grade.

    In px/s the clips of each video are ranked by themselves, for a pixel may be of another size in another one.
    """
    progress_N = (clips["vsl"] * clips["str"]).to_numpy()
    video_N = clips["video"].to_numpy() if clips["unit"].iloc[0] != "um" else np.zeros(len(clips))
    place_N = np.full(len(clips), len(GRADES) - 0.5)
    for video in dict.fromkeys(video_N):
        these = np.flatnonzero((video_N == video) & (progress_N >= still))
        ranks = (rankdata(-progress_N[these]) - 0.5) / max(1, len(these))
        place_N[these] = (len(GRADES) - 1) * ranks
    return place_N


def distributions(place_N: np.ndarray, spread: float) -> np.ndarray:
    """(N, 5) how probable each grade is where a normal distribution around the place falls between 0, 1, ... 5."""
    edges = np.array([-np.inf, *range(1, len(GRADES)), np.inf])
    return np.diff(ndtr((edges - place_N[:, None]) / spread), axis=1)
