"""ratings.csv from the votes: `clip,rater,grade`, each rater's latest grade of each clip's first showing.

Second showings and "cannot grade" are in the database alone: a second vote of one rater would count twice, and no grade
is no vote. Votes on clips that are no longer in the data set are kept in the database and left out here.
"""

import csv
import io
from collections.abc import Collection
from pathlib import Path

from hybrid.data.paths import RATINGS, ClipFiles
from hybrid.data.problems import Problems
from hybrid.data.table import read_table
from hybrid.errors import UserError
from hybrid.files import write_text
from hybrid.rating.votes import Votes


def write_ratings(folder: Path, votes: Votes, clips: Collection[str]) -> None:
    """Whole or not at all. Without votes there is no file, for one without rows is an error to those who read it."""
    rows = sorted(
        (vote.clip, vote.rater, vote.grade)
        for vote in votes.counting()
        if vote.showing == 1 and vote.grade is not None and vote.clip in clips
    )
    if not rows:
        (folder / RATINGS).unlink(missing_ok=True)
        return
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("clip", "rater", "grade"), *rows])
    write_text(folder / RATINGS, text.getvalue())


def check_ratings(folder: Path, votes: Votes, files: ClipFiles) -> None:
    """UserError where ratings.csv holds votes that are not in the database, for they would be overwritten.

    Others are no loss: a spreadsheet's `;` is read, and what is older than the database was about to be written.
    """
    path = folder / RATINGS
    if not path.exists():
        return
    problems = Problems(str(path))
    table = read_table(path, ("clip", "rater", "grade"), problems, optional=("group",), clips=files.files)
    problems.raise_if_any()
    given = votes.ever_given()
    for row in table.rows:
        clip, rater, grade = row.cells["clip"], row.cells["rater"], row.cells["grade"]
        if (clip, rater, grade) not in given and (files.find(clip)[0], rater, grade) not in given:
            raise UserError(
                f"{path} row {row.line}: the vote {grade!r} of {rater!r} on {clip!r} was not given on the rating page "
                f"({votes.path.name} does not have it) and would be overwritten: move {RATINGS} to another place, or "
                "collect votes in another folder with --votes"
            )
