"""Labels with a grade a row, as laboratories have them, brought to the table of votes that labels.csv holds.

clip,grade[,group]          labels.csv with one grade a clip: one vote each
clip,rater,grade[,group]    ratings.csv where there is no labels.csv: its votes are counted

Groups that neither has are those of clips.csv, which tools/crop.py writes.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from shlex import quote

from hybrid.data.grade_names import grade_key, grade_order, not_finite, odd_names
from hybrid.data.numbers import NUMBER
from hybrid.data.paths import CLIPS, LABELS, RATINGS, ClipFiles, group_name, rater_key
from hybrid.data.problems import Problems, some_of
from hybrid.data.table import Row, Table, misnamed, read_table, renaming

VIDEO_DIGEST = "video_sha256"
"""the column of clips.csv that says which file a clip was cropped from"""

ENOUGH = 20
"""clips of which a grade that one alone has is told of"""


def read_votes(root: Path, files: ClipFiles, problems: Problems, notices: list[str]) -> Table | None:
    """A table as labels.csv has it: clip, a column of votes a grade (best first), group where it is known.

    None where the file as a whole cannot be understood; problems and notices are added.
    """
    if (root / RATINGS).exists() and not (root / LABELS).exists():
        table = read_table(root / RATINGS, ("clip", "rater", "grade"), problems, optional=("group",), clips=files.files)
        if table is None:
            return None
        raters = {rater_key(row.cells["rater"]) for row in table.rows}
        notices.append(
            f"there is no {LABELS}: the votes are counted from {RATINGS} ({len(table.rows)} votes by {len(raters)} "
            f"rater{'s' if len(raters) > 1 else ''})"
        )
        table = _counted(table, _by_clip(table, files, problems), problems, notices)
        return _with_groups(root, table, files, problems, notices)
    if not (root / LABELS).exists() and not misnamed(root / LABELS) and files.files:
        problems.add(
            f"there is no {LABELS} with the panel's votes (clip,A,B,C,D,E), and no {RATINGS} (clip,rater,grade); "
            f"python tools/rate.py {quote(str(root))} collects them"
        )
        return None
    table = read_table(root / LABELS, ("clip",), problems, optional=("group", "grade"), clips=files.files)
    if table is not None and "grade" in table.columns:
        notices.append(f"{LABELS} has one grade a clip, taken as one vote: how far raters agree is not known")
        table = _counted(table, [(row, [row.cells["grade"]]) for row in table.rows], problems, notices)
    return _with_groups(root, table, files, problems, notices)


def _by_clip(table: Table, files: ClipFiles, problems: Problems) -> list[tuple[Row, list[str]]]:
    """Each clip's first row with its grades, one a rater; `scan_ratings` says what is wrong with other rows."""
    rows: dict[str, Row] = {}
    votes: dict[str, dict[str, str]] = {}
    for row in table.rows:
        clip = files.find(row.cells["clip"])[0] or row.cells["clip"]
        first = rows.setdefault(clip, row)
        votes.setdefault(clip, {}).setdefault(rater_key(row.cells["rater"]), row.cells["grade"])
        if group_name(row.cells.get("group", "")) != group_name(first.cells.get("group", "")):
            problems.add(
                f"{table.name} row {row.line}: clip {clip!r} is in group {row.cells['group']!r}, in row {first.line} "
                f"in {first.cells['group']!r}"
            )
    return [(row, list(votes[clip].values())) for clip, row in rows.items()]


def _counted(table: Table, rated: list[tuple[Row, list[str]]], problems: Problems, notices: list[str]) -> Table | None:
    """The table of votes of rows and the grades that were given to their clips."""
    before = len(problems.problems)
    for row in table.rows:
        if not_finite(row.cells["grade"]):
            told = f"the grade of clip {row.cells['clip']!r} is {row.cells['grade']!r}, which is none"
            problems.add(f"{table.name} row {row.line}: {told}; write the grade, or remove the row")
    spellings: dict[str, set[str]] = {}
    for grade in {grade for _, given in rated for grade in given if grade and not not_finite(grade)}:
        spellings.setdefault(grade_key(grade), set()).add(grade)
    key_of = {min(names, key=lambda name: (len(name), name)): key for key, names in spellings.items()}
    names = set(key_of)
    grades, odd = grade_order(sorted(names)), odd_names(names)
    alike = {grade.casefold() for grade in names}
    for column in table.columns:
        if column not in ("clip", "rater", "grade", "group"):
            problems.add(
                f"{table.name}: unknown column {column!r} beside 'grade'{renaming(column, 'group') or '; remove it'}"
            )
    for row in table.rows:
        if (grade := row.cells["grade"]) in odd:
            problems.add(
                f"{table.name} row {row.line}: the grade of clip {row.cells['clip']!r} is {grade!r}, which is none "
                f"beside {some_of(sorted(names.difference(odd)))}; write another or remove the row, or, if it is one, "
                f"write {LABELS} with a column of votes for each grade, best first"
            )
    if odd:
        return None
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
        f"{table.name} does not say which grade is the best: it is taken to be {grades[0]!r}, and {grades[-1]!r} the "
        f"worst; if that is not so, write {LABELS} with a column of votes for each grade, best first"
    )
    if parts := [grade for grade in grades if NUMBER.fullmatch(grade) and not float(grade_key(grade)).is_integer()]:
        notices.append(
            f"grades of {table.name} are not whole ({some_of(parts)}), and each is taken as a grade of its own; a mean "
            f"of several raters is none: give each rater's, in {RATINGS}"
        )
    if typed := [sorted(names) for names in spellings.values() if len(names) > 1]:
        shown = "; ".join(" and ".join(map(repr, names)) for names in typed)
        notices.append(f"grades of {table.name} are typed in several ways and taken as one each: {shown}")
    given_by = {grade: [row.line for row, given in rated for one in given if grade_key(one) == key]
                for grade, key in key_of.items()}  # fmt: skip
    once = [grade for grade in grades if len(given_by[grade]) == 1]
    if len(rated) >= ENOUGH and 0 < len(once) <= len(grades) / 2:  # of scores, every one may stand alone
        told = "; ".join(f"{grade!r} in row {given_by[grade][0]}" for grade in once)
        notices.append(f"grades that a single clip of {len(rated)} has in {table.name}, perhaps by a slip: {told}")
    own = [name for name in ("clip", "grade", "group") if name in table.columns]
    rows = []
    for row, given in rated:
        keys = [grade_key(grade) for grade in given]
        counts = {grade: str(keys.count(key_of[grade])) for grade in grades}
        rows.append(Row(row.line, {name: row.cells[name] for name in own} | counts))
    return replace(table, columns=("clip", *grades, *own[2:]), rows=tuple(rows))


def no_grade(row: Row) -> str:
    """What is said of a row whose grade was not written."""
    return f"'grade' of clip {row.cells['clip']!r} is empty"


def _with_groups(
    root: Path, table: Table | None, files: ClipFiles, problems: Problems, notices: list[str]
) -> Table | None:
    """The table with the groups of clips.csv, where it has none; where it has, a notice if they split those."""
    if table is None or not (root / CLIPS).exists():
        return table
    if any(row.cells.get("group") for row in table.rows):
        # A notice alone depends on clips.csv then, so what may be wrong with it is not complained of.
        notices += _split(table, files, cropped_groups(root, files, Problems(CLIPS), []) or {})
        return table
    group_of = cropped_groups(root, files, problems, notices)
    if group_of is None:
        return table
    rows = tuple(
        Row(row.line, row.cells | {"group": group_of.get(files.find(row.cells["clip"])[0], "")}) for row in table.rows
    )
    columns = tuple(dict.fromkeys((*table.columns, "group")))
    return replace(table, columns=columns, rows=rows, groups_from=CLIPS)


def _split(table: Table, files: ClipFiles, group_of: dict[str | None, str]) -> list[str]:
    """A notice where clips of one group of clips.csv are in several of the table."""
    groups: dict[str, set[str]] = {}
    for row in table.rows:
        if cropped := group_name(group_of.get(files.find(row.cells["clip"])[0], "")):
            groups.setdefault(cropped, set()).add(group_name(row.cells["group"]))
    if not (split := [group for group, of in groups.items() if len(of) > 1]):
        return []
    return [
        f"groups of {table.name} split groups of {CLIPS} ({some_of(split)}; {split[0]!r} is in "
        f"{some_of(sorted(groups[split[0]]))}): those of {table.name} are taken, and clips of one of the others may be "
        f"trained on and tested on; if that is not meant, remove the column 'group' of {table.name}"
    ]


def cropped_groups(
    root: Path, files: ClipFiles, problems: Problems, notices: list[str]
) -> dict[str | None, str] | None:
    """The group of each clip by clips.csv, by its path; None where the file cannot be read or has no groups. Problems
    are added, as of a clip in two groups, and notices."""
    table = read_table(root / CLIPS, ("clip",), problems, optional=("group",), clips=files.files)
    if table is None:
        return None
    if "group" not in table.columns:
        if meant := next((column for column in table.columns if renaming(column, "group")), None):
            problems.add(f"{CLIPS}: there is no column 'group' but {meant!r}{renaming(meant, 'group')}")
        else:
            notices.append(f"{CLIPS} has no column 'group': clips are split one by one")
        return None
    rows: dict[str | None, Row] = {}
    for row in table.rows:
        clip, group = files.find(row.cells["clip"])[0], row.cells["group"]
        first = rows.setdefault(clip, row)
        if clip is not None and group_name(group) != group_name(first.cells["group"]):
            told = f"clip {clip!r} is in group {group!r}, in row {first.line} in {first.cells['group']!r}"
            problems.add(f"{CLIPS} row {row.line}: {told}")
    return {clip: row.cells["group"] for clip, row in rows.items()}


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
