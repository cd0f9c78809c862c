"""votes.sqlite3: every vote as it was given. A vote is stored, to survive a power cut, before `give` returns.

Nothing is overwritten: a corrected vote is a further row, and the last row of a showing counts.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hybrid.errors import UserError

FILE = "votes.sqlite3"
FORMAT = 1
"""of the tables, kept as the database's user_version"""

TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS grades (place INTEGER PRIMARY KEY, grade TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS votes (
    number  INTEGER PRIMARY KEY,                        -- in the order in which they came
    id      TEXT NOT NULL UNIQUE,                       -- the page's, so that one that is sent twice is stored once
    rater   TEXT NOT NULL,
    clip    TEXT NOT NULL,
    showing INTEGER NOT NULL CHECK (showing IN (1, 2)), -- 2: shown again, to measure repeatability
    grade   TEXT,                                       -- NULL: cannot be graded
    given   TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX IF NOT EXISTS votes_of_showing ON votes (rater, clip, showing, number);
PRAGMA user_version = {FORMAT};
COMMIT;
"""

COUNTING = """
SELECT id, rater, clip, showing, grade FROM votes
WHERE number IN (SELECT max(number) FROM votes GROUP BY rater, clip, showing)
"""


class VoteConflict(Exception):
    """The showing has another vote by now than the one that was to be replaced."""


@dataclass(frozen=True)
class Vote:
    """id: unique, made by who gives it. showing: 1, or 2 where the clip is shown again. grade: None: cannot grade."""

    id: str
    rater: str
    clip: str
    showing: int
    grade: str | None


class Votes:
    """The database, for several threads at once. Whatever is wrong with the file is a UserError."""

    def __init__(self, path: Path, read_only: bool = False):
        self.path, self._lock = path, threading.Lock()
        with self._explained():
            address = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}"
            self._database = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
            (found,) = self._database.execute("PRAGMA user_version").fetchone()
            if found not in (FORMAT,) if read_only else found not in (0, FORMAT):
                raise UserError(f"{path} is no database of votes of this version (format {found}, not {FORMAT})")
            if not read_only:
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = FULL")
                self._database.executescript(TABLES)
            self._opened = path.stat()

    @property
    def grades(self) -> tuple[str, ...]:
        """Best first; empty in a new database."""
        return tuple(grade for (grade,) in self._rows("SELECT grade FROM grades ORDER BY place"))

    def set_grades(self, grades: tuple[str, ...]) -> None:
        """Of a new database."""
        with self._transaction() as database:
            database.executemany("INSERT INTO grades VALUES (?, ?)", enumerate(grades))

    def give(self, vote: Vote, replaces: str | None) -> None:
        """Store a vote, once however often it is given. VoteConflict where the showing's vote is not `replaces`, the
        id of the vote that its giver knew of (None: none), as when it was voted on in another window since.
        """
        with self._transaction() as database:
            if database.execute("SELECT 1 FROM votes WHERE id = ?", (vote.id,)).fetchone():
                return
            last = database.execute(
                "SELECT id FROM votes WHERE rater = ? AND clip = ? AND showing = ? ORDER BY number DESC LIMIT 1",
                (vote.rater, vote.clip, vote.showing),
            ).fetchone()
            if (last[0] if last else None) != replaces:
                raise VoteConflict
            database.execute(
                "INSERT INTO votes (id, rater, clip, showing, grade) VALUES (?, ?, ?, ?, ?)",
                (vote.id, vote.rater, vote.clip, vote.showing, vote.grade),
            )

    def counting(self) -> list[Vote]:
        """The last vote of every showing, by rater, clip and showing."""
        return [Vote(*row) for row in self._rows(COUNTING + "ORDER BY rater, clip, showing")]

    def of(self, rater: str) -> dict[tuple[str, int], Vote]:
        """A rater's votes that count, by clip and showing."""
        votes = [Vote(*row) for row in self._rows(COUNTING + "AND rater = ?", rater)]
        return {(vote.clip, vote.showing): vote for vote in votes}

    def raters(self) -> list[str]:
        return [rater for (rater,) in self._rows("SELECT DISTINCT rater FROM votes ORDER BY rater")]

    def ever_given(self) -> set[tuple[str, str, str]]:
        """(clip, rater, grade) of all first showings, also of votes that were corrected since."""
        return set(self._rows("SELECT clip, rater, grade FROM votes WHERE showing = 1 AND grade IS NOT NULL"))

    def close(self) -> None:
        self._database.close()

    def _rows(self, query: str, *values) -> list[tuple]:
        with self._explained(), self._lock:
            return self._database.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._explained(), self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._check_there()
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def _check_there(self) -> None:
        # SQLite would go on writing into a file that has no name any more, and lose all of it at the end.
        if not (self.path.exists() and os.path.samestat(self.path.stat(), self._opened)):
            raise UserError(
                f"{self.path} was moved or removed while votes were stored in it, and this one is not stored: put it "
                "back, and start this program again"
            )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise UserError(f"{self.path} cannot be used as the database of votes: {error}") from error
