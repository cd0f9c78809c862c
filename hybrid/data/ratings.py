"""ratings.csv: the panel's raw votes, for its noise and agreement.

clip,rater,grade            one row a vote; the file is optional, but where it is it must
p1/a.mp4,R01,B              tell the same story as labels.csv, where there is one
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid.data.labels import SUM_TOLERANCE, Labels
from hybrid.data.paths import ClipFiles
from hybrid.data.problems import Problems, some_of
from hybrid.data.table import read_table

FILE = "ratings.csv"


@dataclass(frozen=True, eq=False)
class Ratings:
    """ratings_NR: int16, the index of the grade that rater r gave clip n (0 is the best), -1 where none was given.

    notices: what is odd about the file but no error.
    """

    raters: tuple[str, ...]
    ratings_NR: np.ndarray
    notices: tuple[str, ...] = ()


def read_ratings(root: Path, labels: Labels) -> Ratings | None:
    """Read `<root>/ratings.csv`, None where there is none; raises a DatasetError that lists every problem."""
    problems = Problems(f"data set {root}")
    ratings = scan_ratings(root, labels, problems)
    problems.raise_if_any()
    return ratings


def scan_ratings(root: Path, labels: Labels, problems: Problems) -> Ratings | None:
    """The same, adding to `problems` instead of raising."""
    path = Path(root) / FILE
    if not path.exists():
        return None
    files = ClipFiles(Path(root))
    table = read_table(path, ("clip", "rater", "grade"), problems, optional=("group",), clips=files.files)
    if table is None:
        return None
    known = ("clip", "rater", "grade", *(["group"] if labels.file == FILE else []))  # else labels.csv has it
    for column in table.columns:
        if column not in known:
            problems.add(f"{FILE}: unknown column {column!r}; the columns are {', '.join(known)}")
    clip_index = {clip: n for n, clip in enumerate(labels.clips)}
    grade_index = {grade: k for k, grade in enumerate(labels.grades)}
    found: dict[str, str | None] = {}  # many rows a clip: look each name up once
    unknown: dict[str, int] = {}
    first_line: dict[tuple[str, str], int] = {}
    rated: dict[int, dict[str, int]] = defaultdict(dict)
    for row in table.rows:
        written, rater, grade = row.cells["clip"], row.cells["rater"], row.cells["grade"]
        if written not in found:
            found[written] = written if written in clip_index else files.find(written)[0]
        clip, where = found[written], f"{FILE} row {row.line}"
        if clip not in clip_index:
            unknown.setdefault(written, row.line)
        elif not rater:
            problems.add(f"{where}: clip {written!r} has no rater")
        elif grade not in grade_index:
            grades = ", ".join(labels.grades)
            problems.add(
                f"{where}: rater {rater!r} gives clip {written!r} the unknown grade {grade!r}; grades: {grades}"
            )
        elif (clip, rater) in first_line:
            line = first_line[clip, rater]
            problems.add(f"{where}: rater {rater!r} has graded clip {written!r} in row {line} already")
        else:
            first_line[clip, rater] = row.line
            rated[clip_index[clip]][rater] = grade_index[grade]
    for written, line in unknown.items():
        if written not in labels.left_out:  # else it is a problem of labels.csv already
            problems.add(f"{FILE} row {line}: clip {written!r} is not in labels.csv")
    raters = tuple(sorted({rater for grades in rated.values() for rater in grades}))
    rater_index = {rater: r for r, rater in enumerate(raters)}
    ratings_NR = np.full((len(labels.clips), len(raters)), -1, np.int16)
    for n, grades in rated.items():
        for rater, k in grades.items():
            ratings_NR[n, rater_index[rater]] = k
    _check_against_labels(ratings_NR, labels, problems)
    return Ratings(raters, ratings_NR, table.notices)


def _check_against_labels(ratings_NR: np.ndarray, labels: Labels, problems: Problems) -> None:
    counts_NK = (ratings_NR[:, :, None] == np.arange(len(labels.grades))).sum(axis=1)
    unrated = np.flatnonzero(counts_NK.sum(axis=1) == 0)
    if len(unrated):
        names = some_of(labels.clips[n] for n in unrated)
        problems.add(f"{FILE}: has no ratings of {len(unrated)} of the clips of labels.csv: {names}")
    for n in np.flatnonzero(counts_NK.sum(axis=1) > 0):
        votes_K, counts_K = labels.votes_NK[n], counts_NK[n]
        if not np.isfinite(votes_K).all():
            continue  # a problem of labels.csv already
        if abs(votes_K.sum() - 1) <= SUM_TOLERANCE and counts_K.sum() > 1:
            agree = np.allclose(votes_K, counts_K / counts_K.sum(), atol=0.01)
            counts_K = np.round(counts_K / counts_K.sum(), 3)
        else:
            agree = np.allclose(votes_K, counts_K)
        if not agree:
            problems.add(
                f"{FILE}: clip {labels.clips[n]!r} has {_listed(counts_K)} here but {_listed(votes_K)} in labels.csv "
                f"row {labels.lines[n]}"
            )


def _listed(numbers) -> str:
    return "/".join(f"{number:g}" for number in numbers)
