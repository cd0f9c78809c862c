"""Labels with a grade a row, as laboratories have them, brought to the table of votes that labels.csv holds.

clip,grade[,group]          labels.csv with one grade a clip: one vote each
clip,rater,grade[,group]    ratings.csv where there is no labels.csv: its votes are counted

Groups that neither has are those of clips.csv, which tools/crop.py writes.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from hybrid.data.paths import ClipFiles
from hybrid.data.problems import Problems, some_of
from hybrid.data.table import Row, Table, read_table, renaming

LABELS, RATINGS, CLIPS = "labels.csv", "ratings.csv", "clips.csv"
VIDEO_DIGEST = "video_sha256"
"""the column of clips.csv that says which file a clip was cropped from"""


def read_votes(root: Path, files: ClipFiles, problems: Problems, notices: list[str]) -> Table | None:
    """A table as labels.csv has it: clip, a column of votes a grade (best first), group where it is known.

    None where the file as a whole cannot be understood; problems and notices are added.
    """
    if (root / RATINGS).exists() and not (root / LABELS).exists():
        table = read_table(root / RATINGS, ("clip", "rater", "grade"), problems, optional=("group",), clips=files.files)
        if table is None:
            return None
        raters = {row.cells["rater"] for row in table.rows}
        notices.append(
            f"there is no {LABELS}: the votes are counted from {RATINGS} ({len(table.rows)} votes by {len(raters)} "
            f"rater{'s' if len(raters) > 1 else ''})"
        )
        return _with_groups(root, _counted(table, _by_clip(table, files, problems), problems, notices), files, problems)
    table = read_table(root / LABELS, ("clip",), problems, optional=("group", "grade"), clips=files.files)
    if table is not None and "grade" in table.columns:
        notices.append(f"{LABELS} has one grade a clip, taken as one vote: how far raters agree is not known")
        table = _counted(table, [(row, [row.cells["grade"]]) for row in table.rows], problems, notices)
    return _with_groups(root, table, files, problems)


def grade_order(grades: Sequence[str]) -> list[str] | None:
    """Single letters or numbers, from A or the lowest number on; None where names have no order of their own."""
    if all(len(grade) == 1 and grade.isalpha() for grade in grades):
        return sorted(grades, key=str.casefold)
    try:
        return sorted(grades, key=float)
    except ValueError:
        return None


def _by_clip(table: Table, files: ClipFiles, problems: Problems) -> list[tuple[Row, list[str]]]:
    """Each clip's first row with its grades, one a rater; `scan_ratings` says what is wrong with other rows."""
    rows: dict[str, Row] = {}
    votes: dict[str, dict[str, str]] = {}
    for row in table.rows:
        clip = files.find(row.cells["clip"])[0] or row.cells["clip"]
        first = rows.setdefault(clip, row)
        votes.setdefault(clip, {}).setdefault(row.cells["rater"], row.cells["grade"])
        if row.cells.get("group") != first.cells.get("group"):
            problems.add(
                f"{table.name} row {row.line}: clip {clip!r} is in group {row.cells['group']!r}, in row {first.line} "
                f"in {first.cells['group']!r}"
            )
    return [(row, list(votes[clip].values())) for clip, row in rows.items()]


def _counted(table: Table, rated: list[tuple[Row, list[str]]], problems: Problems, notices: list[str]) -> Table | None:
    """The table of votes of rows and the grades that were given to their clips."""
    names = {grade for _, given in rated for grade in given if grade}
    grades = grade_order(sorted(names))
    alike = {grade.casefold() for grade in names}
    before = len(problems.problems)
    for column in table.columns:
        if column not in ("clip", "rater", "grade", "group"):
            problems.add(f"{table.name}: unknown column {column!r} beside 'grade'{renaming(column, 'group')}")
    if grades is None:
        problems.add(
            f"{table.name}: nothing says which of the grades {some_of(sorted(names))} is the best; write {LABELS} with "
            "a column of votes for each grade, best first"
        )
    elif len(alike) < len(names):
        problems.add(f"{table.name}: grades differ in capitals alone ({', '.join(grades)}); write them alike")
    elif len(grades) < 2:
        problems.add(f"{table.name}: needs 2 or more grades, has {', '.join(grades) or 'none'}")
    if len(problems.problems) > before:
        return None
    notices.append(
        f"grades, best first: {', '.join(grades)}; if that is not so, write {LABELS} with a column of votes for each, "
        "best first"
    )
    own = [name for name in ("clip", "group") if name in table.columns]
    rows = [
        Row(row.line, {name: row.cells[name] for name in own} | {grade: str(given.count(grade)) for grade in grades})
        for row, given in rated
    ]
    return replace(table, columns=("clip", *grades, *own[1:]), rows=tuple(rows))


def _with_groups(root: Path, table: Table | None, files: ClipFiles, problems: Problems) -> Table | None:
    """The table with the groups of clips.csv, where it has none."""
    if table is None or "group" in table.columns or not (root / CLIPS).exists():
        return table
    crops = read_table(root / CLIPS, ("clip", "group"), problems, clips=files.files)
    if crops is None:
        return table
    group_of = {files.find(row.cells["clip"])[0]: row.cells["group"] for row in crops.rows}
    rows = tuple(
        Row(row.line, row.cells | {"group": group_of.get(files.find(row.cells["clip"])[0], "")}) for row in table.rows
    )
    return replace(table, columns=(*table.columns, "group"), rows=rows, groups_from=CLIPS)


def source_videos(root: Path, clips: Collection[str]) -> set[str]:
    """SHA-256 of the videos that these clips were cropped from, of those that clips.csv knows it of."""
    if not (root / CLIPS).exists():
        return set()
    files, wanted = ClipFiles(root), set(clips)
    # A notice alone depends on it, so what may be wrong with the table is not complained of.
    table = read_table(root / CLIPS, ("clip",), Problems(CLIPS), optional=(VIDEO_DIGEST,), clips=files.files)
    if table is None or VIDEO_DIGEST not in table.columns:
        return set()
    return {row.cells[VIDEO_DIGEST] for row in table.rows if files.find(row.cells["clip"])[0] in wanted} - {""}
