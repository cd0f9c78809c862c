"""Who votes: names typed into the page, or names that a table of tokens gives."""

from collections.abc import Iterable
from pathlib import Path

from hybrid.data.paths import group_name, rater_key
from hybrid.data.problems import Problems
from hybrid.data.table import read_table
from hybrid.errors import UserError

LONGEST = 60
SHORTEST_TOKEN = 8


def read_tokens(path: Path) -> dict[str, str]:
    """Token -> rater, of a CSV with the columns rater,token; all that is wrong with it is one UserError."""
    problems = Problems(f"tokens {path}")
    table = read_table(path, ("rater", "token"), problems)
    problems.raise_if_any()
    raters: dict[str, str] = {}
    for row in table.rows:
        token = row.cells["token"]
        try:
            rater = rater_name(row.cells["rater"], raters.values())
        except UserError as error:
            problems.add(f"row {row.line}: {error}")
            continue
        if rater in raters.values():
            problems.add(f"row {row.line}: the rater {rater!r} is there already")
        elif len(token) < SHORTEST_TOKEN:
            problems.add(f"row {row.line}: the token of {rater!r} has fewer than {SHORTEST_TOKEN} characters")
        elif token in raters:
            problems.add(f"row {row.line}: {rater!r} has the token of {raters[token]!r}")
        else:
            raters[token] = rater
    problems.raise_if_any()
    return raters


def rater_name(typed: str, known: Iterable[str]) -> str:
    """A name as it is kept; one that differs from a known one in capitals, spaces or Unicode form alone is that one."""
    name = group_name(typed)
    if not name or len(name) > LONGEST or not name.isprintable() or name[0] in "=+-@":
        raise UserError(
            f"{typed[: LONGEST + 1]!r} is no name for a rater: 1 to {LONGEST} characters, of which the first is not "
            "= + - or @, which spreadsheets take for a formula"
        )
    return next((other for other in known if rater_key(other) == rater_key(name)), name)
