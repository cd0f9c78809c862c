"""ratings.csv: the panel's raw votes, for its noise and agreement.

clip,rater,grade            one row a vote; the file is optional, but where it is it must
p1/a.mp4,R01,B              tell the same story as labels.csv, where there is one
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid.data.grade_names import grade_key, look_alikes
from hybrid.data.grade_rows import no_grade
from hybrid.data.labels import Labels
from hybrid.data.paths import LABELS, RATINGS, ClipFiles, group_name, rater_key
from hybrid.data.problems import Problems, some_of
from hybrid.data.table import read_table


@dataclass(frozen=True, eq=False)
class Ratings:
    """ratings_NR: int16, the index of the grade that rater r gave clip n (0 is the best), -1 where none was given.

    raters: as `group_name` writes the first spelling of each; names of one `rater_key` are one rater.
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
    path = Path(root) / RATINGS
    if not path.exists():
        return None
    files = ClipFiles(Path(root))
    table = read_table(path, ("clip", "rater", "grade"), problems, optional=("group",), clips=files.files)
    if table is None:
        return None
    known = ("clip", "rater", "grade", *(["group"] if labels.file == RATINGS else []))  # else labels.csv has it
    for column in table.columns:
        if column not in known:
            problems.add(f"{RATINGS}: unknown column {column!r}; the columns are {', '.join(known)}")
    clip_index = {clip: n for n, clip in enumerate(labels.clips)}
    grade_index = {grade_key(grade): k for k, grade in enumerate(labels.grades)}
    found: dict[str, str | None] = {}  # many rows a clip: look each name up once
    unknown: dict[str, int] = {}
    spellings: dict[str, dict[str, None]] = defaultdict(dict)
    first_line: dict[tuple[str, str], int] = {}
    rated: dict[int, dict[str, int]] = defaultdict(dict)
    for row in table.rows:
        written, rater, grade = row.cells["clip"], row.cells["rater"], row.cells["grade"]
        if written not in found:
            found[written] = written if written in clip_index else files.find(written)[0]
        clip, where, key = found[written], f"{RATINGS} row {row.line}", rater_key(rater)
        if clip not in clip_index:
            unknown.setdefault(written, row.line)
        elif not rater:
            problems.add(f"{where}: clip {written!r} has no rater")
        elif not grade:
            problems.add(f"{where}: {no_grade(row)}")
        elif grade_key(grade) not in grade_index:
            letters = look_alikes([grade, *labels.grades])
            problems.add(
                f"{where}: rater {rater!r} gives clip {written!r} the unknown grade {grade!r}; grades: "
                f"{', '.join(labels.grades)}" + (f" ({letters})" if letters else "")
            )
        elif (clip, key) in first_line:
            line = first_line[clip, key]
            known = next(iter(spellings[key]))
            named = "" if known == rater else f" as {known!r}"
            problems.add(f"{where}: rater {rater!r} has graded clip {written!r} in row {line} already{named}")
        else:
            first_line[clip, key] = row.line
            spellings[key].setdefault(rater)
            rated[clip_index[clip]][key] = grade_index[grade_key(grade)]
    for written, line in unknown.items():
        if written not in labels.left_out:  # else it is a problem of labels.csv already
            problems.add(f"{RATINGS} row {line}: clip {written!r} is not in {LABELS}")
    name_of = {key: group_name(next(iter(names))) for key, names in spellings.items()}
    raters = sorted(name_of, key=name_of.get)
    rater_index = {key: r for r, key in enumerate(raters)}
    ratings_NR = np.full((len(labels.clips), len(raters)), -1, np.int16)
    for n, grades in rated.items():
        for key, k in grades.items():
            ratings_NR[n, rater_index[key]] = k
    _check_against_labels(ratings_NR, labels, problems)
    notices = [*table.notices]
    if typed := [" and ".join(map(repr, names)) for names in spellings.values() if len(names) > 1]:
        notices.append(
            f"raters of {RATINGS} are typed in several ways (capitals, accents, wide letters or spaces) and taken as "
            f"one each: {'; '.join(typed)}; if they are not one, tell them apart by more than that"
        )
    return Ratings(tuple(name_of[key] for key in raters), ratings_NR, tuple(notices))


def _check_against_labels(ratings_NR: np.ndarray, labels: Labels, problems: Problems) -> None:
    counts_NK = (ratings_NR[:, :, None] == np.arange(len(labels.grades))).sum(axis=1)
    unrated = np.flatnonzero(counts_NK.sum(axis=1) == 0)
    if len(unrated):
        names = some_of(labels.clips[n] for n in unrated)
        problems.add(f"{RATINGS}: has no ratings of {len(unrated)} of the clips of {LABELS}: {names}")
    for n in np.flatnonzero(counts_NK.sum(axis=1) > 0):
        votes_K, counts_K = labels.votes_NK[n], counts_NK[n]
        if not np.isfinite(votes_K).all():
            continue  # a problem of labels.csv already
        if not labels.counted:
            votes_K, counts_K = (np.round(of_K / of_K.sum(), 3) for of_K in (votes_K, counts_K))
        if not np.allclose(votes_K, counts_K, atol=0.01):
            problems.add(
                f"{RATINGS}: clip {labels.clips[n]!r} has {_listed(counts_K)} here but {_listed(votes_K)} in "
                f"{LABELS} row {labels.lines[n]}"
            )


def _listed(numbers) -> str:
    return "/".join(f"{number:g}" for number in numbers)
