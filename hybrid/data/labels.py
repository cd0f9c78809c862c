"""labels.csv: which clips there are, how the panel graded them, and what must not be split.

Laboratories also write a grade a row, and leave groups to clips.csv: see hybrid/data/grade_rows.py.

clip,A,B,C,D,E,group        one row a clip; votes or fractions in any K >= 2 grade columns, best first;
p1/a.mp4,10,20,10,0,0,p1    `group` (patient, donor, source video) is optional and comes last
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid.data.grade_rows import grade_order, read_votes
from hybrid.data.numbers import Numbers
from hybrid.data.paths import ClipFiles, group_name, near_group
from hybrid.data.problems import Problems, some_of
from hybrid.data.table import Row, Table, renaming

FILE = "labels.csv"
NAMES = ("clip", "group")
"""columns that hold no numbers"""
SUM_TOLERANCE = 0.05
"""how far rounded fractions may sum from 1"""


@dataclass(frozen=True, eq=False)
class Labels:
    """What labels.csv says, in its order; or ratings.csv, where there is no labels.csv.

    clips: posix paths relative to `root / "clips"`.
    grades: names of the K grades, best first.
    votes_NK: as written, float64. targets_NK: the same as fractions, float32, rows sum to 1.
    groups: one a clip, or None where the file has none.
    file: the name of the one it was. lines: row of it each clip stands in, from 1 (the header's row counts).
    notices: what is odd but no error.
    left_out: clips as written in rows that are not used, empty unless there are problems.
    """

    root: Path
    clips: tuple[str, ...]
    grades: tuple[str, ...]
    votes_NK: np.ndarray
    targets_NK: np.ndarray
    groups: tuple[str, ...] | None
    lines: tuple[int, ...]
    file: str = FILE
    notices: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def path(self, index: int) -> Path:
        """Where a clip's file lies."""
        return self.root / "clips" / self.clips[index]


def read_labels(root: Path) -> Labels:
    """Read the labels of the data set `root`; raises a DatasetError that lists every problem."""
    problems = Problems(f"data set {root}")
    labels = scan_labels(root, problems)
    problems.raise_if_any()
    return labels


def scan_labels(root: Path, problems: Problems) -> Labels | None:
    """The same, adding to `problems` instead of raising, so that the clips of good rows can be checked too.

    Rows whose votes are bad have NaN there. None where the file as a whole cannot be understood.
    """
    root = Path(root)
    if not root.is_dir():
        problems.add(f"there is no folder {root}")
        return None
    if not (root / "clips").is_dir():
        problems.add("clips/: there is no such folder; the videos belong there")
    files = ClipFiles(root)
    notices: list[str] = []
    table = read_votes(root, files, problems, notices)
    if table is None:
        return None
    notices += table.notices
    numbers = Numbers.of(row.cells[name] for row in table.rows for name in table.columns if name not in NAMES)
    grades = _grade_columns(table, numbers, problems)
    if grade_order(grades) not in (None, list(grades)):
        notices.append(
            f"the first column of {table.name} is the best grade: {grades[0]!r} is the best, {grades[-1]!r} the worst; "
            "if it is the other way round, turn the columns round"
        )
    votes = {row.line: _votes(table.name, row, grades, numbers, problems) for row in table.rows}
    kept = _clip_rows(table, files, problems)
    votes_NK = np.array([votes[row.line] for row in kept.values()]).reshape(len(kept), len(grades))
    _check_sums(table.name, votes_NK, list(kept.values()), problems)
    groups = _groups(table, list(kept.values()), problems, notices)
    if unused := [name for name in files.files if name not in kept]:
        notices.append(f"{table.name} does not mention {len(unused)} of the files in clips/: {some_of(unused)}")
    lines = tuple(row.line for row in kept.values())
    left_out = {row.line for row in table.rows} - set(lines)
    sums_N1 = votes_NK.sum(axis=1, keepdims=True)
    return Labels(
        root=root,
        clips=tuple(kept),
        grades=grades,
        votes_NK=votes_NK,
        targets_NK=(votes_NK / np.where(sums_N1 > 0, sums_N1, np.nan)).astype(np.float32),
        groups=groups,
        lines=lines,
        file=table.name,
        notices=tuple(notices),
        left_out=tuple(row.cells["clip"] for row in table.rows if row.line in left_out),
    )


def _grade_columns(table: Table, numbers: Numbers, problems: Problems) -> tuple[str, ...]:
    """The columns that are grades; what else there is becomes a problem."""
    start, width = table.columns.index("clip"), len(table.columns)
    end = table.columns.index("group") if "group" in table.columns else width
    if end < width and end <= start + 1:
        problems.add(f"{FILE}: the column 'group' must come after the grades")
        end = width
    for column in table.columns[:start] + table.columns[end + 1 :]:
        if column != "group":
            hint = renaming(column, "group") or "; the columns are clip, the grades (best first), then group"
            problems.add(f"{FILE}: unknown column {column!r}{hint}")
    grades = []
    for column in table.columns[start + 1 : end]:
        if column == "group":
            continue
        texts = [row.cells[column] for row in table.rows]
        words = len(texts) > 1 and any(texts) and not any(map(numbers.is_number, texts))
        if hint := renaming(column, "group") or (words and renaming(column, "grade")):
            problems.add(f"{FILE}: unknown column {column!r}{hint}")
        elif words:
            problems.add(f"{FILE}: unknown column {column!r}: what lies between clip and group must be votes")
        else:
            grades.append(column)
    if _is_total(table, grades, numbers):
        problems.add(f"{FILE}: the column {grades[-1]!r} is the sum of the others, not a grade; remove it")
    if len(grades) < 2:
        problems.add(f"{FILE}: needs 2 or more grade columns after 'clip', has {len(grades)}")
    return tuple(grades)


def _is_total(table: Table, grades: list[str], numbers: Numbers) -> bool:
    if len(grades) < 3 or grades[-1].lower() not in ("n", "sum", "total", "votes", "raters"):
        return False
    votes_NK = np.array([[numbers.read(row.cells[grade]) or 0 for grade in grades] for row in table.rows])
    return len(votes_NK) > 0 and np.allclose(votes_NK[:, :-1].sum(axis=1), votes_NK[:, -1], atol=SUM_TOLERANCE)


def _clip_rows(table: Table, files: ClipFiles, problems: Problems) -> dict[str, Row]:
    """The rows by their clip's path, without those that name no file or name one a second time."""
    kept: dict[str, Row] = {}
    for row in table.rows:
        clip, problem = files.find(row.cells["clip"])
        if clip is None:
            problems.add(f"{table.name} row {row.line}: {problem}")
        elif clip in kept:
            problems.add(f"{table.name} row {row.line}: clip {clip!r} is in row {kept[clip].line} already")
        else:
            kept[clip] = row
    return kept


MOST_VOTES = 1e9


def _votes(file: str, row: Row, grades: tuple[str, ...], numbers: Numbers, problems: Problems) -> list[float]:
    """The votes of a row, all NaN where one of them is bad."""
    votes, bad = [], False
    for grade in grades:
        text = row.cells[grade]
        vote = numbers.read(text)
        wrong = (
            "is empty" if not text
            else f"is {text!r}, which may mean {meanings}; write the one it is" if (meanings := numbers.meanings(text))
            else f"is {text!r}, not a number" if vote is None
            else f"is negative ({text})" if vote < 0
            else f"is {text}, more than any panel has raters" if vote > MOST_VOTES
            else None
        )  # fmt: skip
        if wrong:
            problems.add(f"{file} row {row.line}: {grade!r} of clip {row.cells['clip']!r} {wrong}")
            bad = True
        votes.append(vote)
    if not bad and votes and sum(votes) == 0:
        problems.add(f"{file} row {row.line}: clip {row.cells['clip']!r} has no votes (all are zero)")
        bad = True
    return [math.nan] * len(grades) if bad else votes


def _check_sums(file: str, votes_NK: np.ndarray, rows: list[Row], problems: Problems) -> None:
    """A file holds votes or fractions, not both: a row of the other kind is a slip, and scaling it would hide that."""
    sums_N = votes_NK.sum(axis=1)
    good_N = np.isfinite(sums_N)
    near_one_N = np.abs(sums_N - 1) <= SUM_TOLERANCE
    fractions_N = good_N & (votes_NK != np.round(votes_NK)).any(axis=1)
    file_of_fractions = fractions_N.any() and near_one_N[good_N].mean() > 0.5
    for n in np.flatnonzero(good_N):
        name, total = f"{file} row {rows[n].line}: clip {rows[n].cells['clip']!r}", f"{sums_N[n]:g}"
        if file_of_fractions and not near_one_N[n]:
            problems.add(f"{name} sums to {total} where most rows are fractions that sum to 1")
        elif not file_of_fractions and fractions_N[n] and near_one_N[n]:
            problems.add(f"{name} has fractions where most rows are votes")


def _groups(table: Table, rows: list[Row], problems: Problems, notices: list[str]) -> tuple[str, ...] | None:
    """One a row, as `group_name` writes it."""
    if "group" not in table.columns:
        return None
    file = table.groups_from or table.name
    groups = tuple(group_name(row.cells["group"]) for row in rows)
    if not any(groups):
        notices.append(f"the column 'group' of {file} is empty: clips are split one by one")
        return None
    spellings, near = defaultdict(dict), defaultdict(list)
    for row, group in zip(rows, groups, strict=True):
        if not group:
            place = f"{FILE} row {row.line}" if file == table.name else file
            problems.add(f"{place}: clip {row.cells['clip']!r} has no group, others have one")
        spellings[group].setdefault(row.cells["group"], row.line)
    for group in spellings:
        near[near_group(group)].append(group)
    if typed := [(group, list(lines.values())) for group, lines in spellings.items() if len(lines) > 1]:
        shown = "; ".join(f"{group!r} in rows {', '.join(map(str, lines))}" for group, lines in typed[:5])
        notices.append(
            f"groups of {file} are typed in several ways (accents, wide letters or spaces) and taken as one each: "
            f"{shown}{f' and {len(typed) - 5} more' if len(typed) > 5 else ''}"
        )
    if alike := [names for names in near.values() if len(names) > 1]:
        shown = "; ".join(" and ".join(map(repr, names)) for names in alike[:5])
        notices.append(
            f"groups of {file} differ in capitals, leading zeros or the mark between words and numbers alone: {shown}"
            f"{f' and {len(alike) - 5} more' if len(alike) > 5 else ''}. They are taken as different patients; if they "
            "are the same, spell them alike, or one patient may be trained on and tested on"
        )
    return groups
