"""Which columns of labels.csv are grades, and what is said of the others."""

import numpy as np

from hybrid.data.grade_names import counts_something, grade_key, in_a_row, strange_names
from hybrid.data.numbers import Numbers
from hybrid.data.problems import Problems, some_of
from hybrid.data.table import Table, renaming

SUM_TOLERANCE = 0.05
"""how far rounded fractions may sum from 1, as a share of it; percentages from 100"""
ROUNDING = 0.01
"""how far sums of rounded fractions, or of percentages, lie apart; votes of fewer than a hundred are then the same"""
FEWEST_ROWS = 5
"""in which sums must tell that a column is no grade, whatever its name"""


def grade_columns(table: Table, numbers: Numbers, problems: Problems) -> tuple[str, ...]:
    """The columns that are grades; what else there is becomes a problem."""
    start, width = table.columns.index("clip"), len(table.columns)
    end = table.columns.index("group") if "group" in table.columns else width
    if end < width and end <= start + 1:
        problems.add(f"{table.name}: the column 'group' must come after the grades")
        end = width
    for column in table.columns[:start] + table.columns[end + 1 :]:
        if column != "group":
            hint = renaming(column, "group") or "; the columns are clip, the grades (best first), then group"
            problems.add(f"{table.name}: unknown column {column!r}{hint}")
    grades, signed = [], False
    for column in table.columns[start + 1 : end]:
        if column == "group":
            continue
        texts = [row.cells[column] for row in table.rows]
        words = len(texts) > 1 and any(texts) and not any(map(numbers.is_number, texts))
        if hint := renaming(column, "group") or (words and renaming(column, "grade")):
            problems.add(f"{table.name}: unknown column {column!r}{hint}")
        elif words and (percent := next((text for text in texts if without_percent(text, numbers)), "")):
            number = without_percent(percent, numbers)
            problems.add(f"{table.name}: the column {column!r} has percent signs: write {percent!r} as {number!r}")
            signed = True
        elif words:
            problems.add(
                f"{table.name}: unknown column {column!r}: what lies between clip and group must be votes; remove it "
                "(a rater's own grades belong into ratings.csv: clip,rater,grade)"
            )
        else:
            grades.append(column)
    votes_NK = np.array([[numbers.read(row.cells[grade]) or 0 for grade in grades] for row in table.rows])
    votes_NK = votes_NK.reshape(len(table.rows), len(grades))  # which no rows would not have
    certain = in_a_row(grades)
    strange, totals = strange_names(grades), {} if certain else _totals(votes_NK, grades)
    beside = not (totals or certain) and len(table.rows) >= FEWEST_ROWS and _is_beside(votes_NK)
    if strange and grades[-1] in strange and not counts_something(grades[-1]) and _completes(votes_NK):
        strange.remove(grades[-1])
    for column in grades:
        if column in totals and (column in strange or totals[column] and len(table.rows) >= FEWEST_ROWS):
            problems.add(
                f"{table.name}: the column {column!r} is the sum of the others, not a grade; remove it, or, if it is "
                "one, name the grades by letters or numbers in a row, as A to E"
            )
        elif beside and column == grades[-1]:
            problems.add(
                f"{table.name}: the column {column!r} does not look like a grade: every row sums to the same without "
                "it, and not with it; remove it, or, if it is one, name the grades by letters in a row, as A to E"
            )
        elif column in strange:
            others = some_of(other for other in grades if other not in strange)
            problems.add(
                f"{table.name}: {column!r} does not look like a grade{f' beside {others}' if others else ''}; remove "
                "it, or, if it is one, give all names of one kind, as A to E, 1 to 5 or good, fair, poor"
            )
        elif (same := next(other for other in grades if grade_key(other) == grade_key(column))) != column:
            problems.add(f"{table.name}: the columns {same!r} and {column!r} are one grade; keep one of them")
    if len(grades) < 2 and not signed:
        problems.add(f"{table.name}: needs 2 or more grade columns after 'clip', has {len(grades)}")
    return tuple(grades)


def _totals(votes_NK: np.ndarray, grades: list[str]) -> dict[str, bool]:
    """The columns that are the sum of the others in every row, and whether that is no chance: of two raters one may
    always say the same.
    """
    if len(grades) < 3 or not len(votes_NK):
        return {}
    is_total_K = (abs(votes_NK.sum(axis=1, keepdims=True) - 2 * votes_NK) <= SUM_TOLERANCE).all(axis=0)
    broken = (votes_NK != np.round(votes_NK)).any()
    return {grades[k]: bool(broken or votes_NK[:, k].max() > 1) for k in np.flatnonzero(is_total_K)}


def _completes(votes_NK: np.ndarray) -> bool:
    """Whether the last column's numbers are votes by all signs, as of a worst grade with a name, `dead` after A to D:
    with them the rows sum to more alike than without, or nobody has given it.
    """
    with_N = votes_NK.sum(axis=1)
    return not votes_NK[:, -1].any() or bool(with_N.std() + 1e-9 < (with_N - votes_NK[:, -1]).std())


def _is_beside(votes_NK: np.ndarray) -> bool:
    """Whether the last column is evidently none of the votes': three or more others sum to the same in every row, but
    for rounding, and with it they do not.
    """
    others_N = votes_NK[:, :-1].sum(axis=1)
    alike = np.ptp(others_N) <= ROUNDING * others_N.max()
    return votes_NK.shape[1] > 3 and bool(alike and others_N.min() > 0) and not _completes(votes_NK)


def without_percent(text: str, numbers: Numbers) -> str:
    """The number of a text that ends in a percent sign, else ''."""
    number = text.removesuffix("%").strip()
    return number if number != text and numbers.is_number(number) else ""
