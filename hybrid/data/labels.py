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

from hybrid.data.grade_columns import SUM_TOLERANCE, grade_columns, without_percent
from hybrid.data.grade_names import grade_order, look_alikes, strange_names
from hybrid.data.grade_rows import no_grade, read_votes
from hybrid.data.numbers import Numbers
from hybrid.data.paths import CLIPS, LABELS, RATINGS, ClipFiles, group_name, near_group
from hybrid.data.problems import Problems, some_of
from hybrid.data.table import Row, Table, misnamed

NAMES = ("clip", "group")
"""columns that hold no numbers"""


@dataclass(frozen=True, eq=False)
class Labels:
    """What labels.csv says, in its order; or ratings.csv, where there is no labels.csv.

    clips: posix paths relative to `root / "clips"`.
    grades: names of the K grades, best first.
    votes_NK: as written, float64; votes, fractions or percentages (`counted`). targets_NK: the same as fractions,
    float32, rows sum to 1.
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
    file: str = LABELS
    notices: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether the numbers are votes, so that their sum says how many raters there were: all are whole, not of one
        vote a clip, which may as well be fractions, and no percentages that were rounded.
        """
        votes_NK = self.votes_NK[np.isfinite(self.votes_NK).all(axis=1)]
        sums_N = votes_NK.sum(axis=1)
        return bool((votes_NK == np.round(votes_NK)).all() and (sums_N > 1).any()) and not rounded_percentages(sums_N)

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
    files = ClipFiles(root)
    notices: list[str] = []
    table = read_votes(root, files, problems, notices)
    if not files.folder.is_dir():
        beside = [row.cells["clip"] for row in table.rows if files.beside(row.cells["clip"])] if table else []
        lie = f": {some_of(beside)} lie beside it, so move them into it" if beside else ""
        problems.add(f"clips/: there is no such folder; the videos belong there{lie}")
    ours = (LABELS, RATINGS, CLIPS)
    hints = [f"there is no {name}{hint}, or it is not read" for name in ours if (hint := misnamed(root / name))]
    if table is None:
        if not (root / LABELS).exists() and (hint := misnamed(root / RATINGS)):
            problems.add(f"{RATINGS}: there is no such file in {root}{hint}")
        return None
    notices += [*table.notices, *hints]
    numbers = Numbers.of(row.cells[name] for row in table.rows for name in table.columns if name not in NAMES)
    grades = grade_columns(table, numbers, problems)
    if grade_order(grades) not in (None, list(grades)):
        notices.append(
            f"the first column of {table.name} is the best grade: {grades[0]!r} is the best, {grades[-1]!r} the worst; "
            "if it is the other way round, turn the columns round"
        )
    if grades and grades[-1] in strange_names(grades):  # of a file that is refused, nobody reads it
        notices.append(
            f"{table.name}: {grades[-1]!r} is taken for the worst grade, though its name is of another kind; if it is "
            "none, remove the column"
        )
    if letters := look_alikes(grades):
        problems.add(f"{table.name}: names of grades hold letters that look alike: {letters}; type all in one alphabet")
    votes = {row.line: _votes(table.name, row, grades, numbers, problems) for row in table.rows}
    kept = _clip_rows(table, files, problems)
    votes_NK = np.array([votes[row.line] for row in kept.values()]).reshape(len(kept), len(grades))
    _check_sums(table.name, votes_NK, list(kept.values()), problems, notices)
    groups = _groups(table, list(kept.values()), problems, notices)
    if unused := [name for name in files.files if name not in kept]:
        notices.append(f"{table.name} does not mention {len(unused)} of the files in clips/: {some_of(unused)}")
    lines = tuple(row.line for row in kept.values())
    left_out = {row.line for row in table.rows} - set(lines)
    sums_N1 = votes_NK.sum(axis=1, keepdims=True)
    if len(kept) and (votes_NK == np.round(votes_NK)).all() and (abs(sums_N1 - 100) <= 2).all():
        taken = "taken as votes of 100 raters; if they are percentages, write"
        if rounded_percentages(sums_N1):
            taken = "taken as rounded percentages; for a noise ceiling, write"
        notices.append(
            f"every row of {table.name} sums to 100{'' if (sums_N1 == 100).all() else ', or nearly'}: {taken} how many "
            "voted for each grade, or, where that is not known, fractions that sum to 1"
        )
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


def rounded_percentages(sums: np.ndarray) -> bool:
    """Of rows of whole numbers: more than 100 raters now and then are none, for a panel has no member too many."""
    return bool(sums.size and (abs(sums - 100) <= 2).all() and sums.max() > 100 and np.ptp(sums))


def _clip_rows(table: Table, files: ClipFiles, problems: Problems) -> dict[str, Row]:
    """The rows by their clip's path, without those that name no file or name one a second time."""
    kept: dict[str, Row] = {}
    for row in table.rows if files.folder.is_dir() else ():  # else none is found, which one line has said
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
            else f"is {text!r}; write {number!r}, without the sign" if (number := without_percent(text, numbers))
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
        empty = row.cells.get("grade") == ""  # of a table with a grade a row
        told = no_grade(row) if empty else f"clip {row.cells['clip']!r} has no votes (all are zero)"
        problems.add(f"{file} row {row.line}: {told}")
        bad = True
    return [math.nan] * len(grades) if bad else votes


def _check_sums(file: str, votes_NK: np.ndarray, rows: list[Row], problems: Problems, notices: list[str]) -> None:
    """A file holds votes, fractions or percentages, and one of them: a row of another kind is a slip, and scaling it
    would hide that.
    """
    sums_N = votes_NK.sum(axis=1)
    good_N = np.isfinite(sums_N)
    broken_N = good_N & (votes_NK != np.round(votes_NK)).any(axis=1)
    near_N = {whole: np.abs(sums_N - whole) <= SUM_TOLERANCE * whole for whole in (1, 100)}
    shares_of = next((whole for whole in near_N if broken_N.any() and near_N[whole][good_N].mean() > 0.5), None)
    for n in np.flatnonzero(good_N):
        name, total = f"{file} row {rows[n].line}: clip {rows[n].cells['clip']!r}", f"{sums_N[n]:g}"
        if shares_of and not near_N[shares_of][n]:
            kind = "fractions that sum to 1" if shares_of == 1 else "percentages that sum to 100"
            problems.add(f"{name} sums to {total} where most rows are {kind}")
        elif not shares_of and broken_N[n] and near_N[1][n]:
            problems.add(f"{name} has fractions where most rows are votes")
    if not shares_of and broken_N.any():
        least, most = sums_N[good_N].min(), sums_N[good_N].max()
        if most - least > SUM_TOLERANCE * most:
            notices.append(
                f"numbers of {file} are not whole, and its rows sum to {least:g} to {most:g}: each is divided by its "
                "sum; is every grade there, and nothing but grades?"
            )


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
            place = f"{file} row {row.line}" if file == table.name else file
            problems.add(f"{place}: clip {row.cells['clip']!r} has no group, others have one")
        spellings[group].setdefault(row.cells["group"], row.line)
    for group in spellings:
        near[near_group(group)].append(group)
    if typed := [(group, list(lines.values())) for group, lines in spellings.items() if len(lines) > 1]:
        shown = "; ".join(f"{group!r} in rows {', '.join(map(str, lines))}" for group, lines in typed[:5])
        notices.append(
            f"groups of {file} are typed in several ways (accents, wide letters, spaces, 1.0 for 1) and taken as one "
            f"each: {shown}{f' and {len(typed) - 5} more' if len(typed) > 5 else ''}"
        )
    if alike := [names for names in near.values() if len(names) > 1]:
        shown = "; ".join(" and ".join(map(repr, names)) for names in alike[:5])
        notices.append(
            f"groups of {file} differ in capitals, leading zeros or the mark between words and numbers alone: {shown}"
            f"{f' and {len(alike) - 5} more' if len(alike) > 5 else ''}. They are taken as different patients; if they "
            "are the same, spell them alike, or one patient may be trained on and tested on"
        )
    return groups
