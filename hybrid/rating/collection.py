"""What is rated, in which grades, and where the votes go."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from hybrid.data.grade_names import grade_key, grade_order, look_alikes
from hybrid.data.labels import read_labels
from hybrid.data.paths import LABELS, ClipFiles
from hybrid.errors import UserError
from hybrid.rating.ratings_file import check_ratings, write_ratings
from hybrid.rating.votes import FILE, Vote, Votes

GRADES = ("A", "B", "C", "D", "E")
MOST_GRADES = 9
"""as many as have a key of their own"""


@dataclass(eq=False)
class Collection:
    """root: the data set; its clips are in root/clips, clips: their names. votes_folder: of the two files of votes.
    notices: what is odd but no error.
    """

    root: Path
    clips: tuple[str, ...]
    grades: tuple[str, ...]
    votes_folder: Path
    votes: Votes
    notices: tuple[str, ...] = ()
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def give(self, vote: Vote, replaces: str | None) -> None:
        """Store a vote in both files, in the database first; see `Votes.give`."""
        with self._writing:
            self.votes.give(vote, replaces)
            try:
                write_ratings(self.votes_folder, self.votes, set(self.clips))
            except OSError as error:
                raise UserError(f"ratings.csv in {self.votes_folder} cannot be written: {error}") from error


@contextmanager
def opened(root: Path, votes_folder: Path | None = None, grades: Sequence[str] = ()) -> Iterator[Collection]:
    """A data set's folder to collect votes on; every mistake is a UserError. One program at a time may hold it.

    votes_folder: root, if None. grades: best first; by default those of the votes that there are already, or of
    labels.csv, or A to E.
    """
    files = clip_files(root)
    folder = votes_folder or root
    if folder.resolve() == root.resolve() and (root / LABELS).exists():
        raise UserError(
            f"{root / LABELS} holds votes already, which a new ratings.csv beside it would contradict: collect "
            "votes in another folder with --votes, or move labels.csv away"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{FILE}.lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"votes are collected in {folder} by another tools/rate.py already: stop that one") from None
    except OSError as error:
        raise UserError(f"{folder}: no votes can be written there ({error.strerror or error})") from error
    try:
        votes = Votes(folder / FILE)
        try:
            kept = votes.grades
            wanted = tuple(grades) or kept or _grades_of(root)
            if kept and wanted != kept:
                raise UserError(
                    f"the votes in {votes.path} are of the grades {','.join(kept)}, not {','.join(wanted)}: leave "
                    "--grades out, or collect votes in another folder with --votes"
                )
            _check_grades(wanted, bool(grades))
            check_ratings(folder, votes, files)
            if not kept:
                votes.set_grades(wanted)
            write_ratings(folder, votes, set(files.files))
            missing = {vote.clip for vote in votes.counting()} - set(files.files)
            notices = (
                [f"{len(missing)} clips with votes are no longer in {root / 'clips'}: their votes are in {FILE} alone"]
                if missing
                else []
            )
            yield Collection(root, tuple(files.files), wanted, folder, votes, tuple(notices))
        finally:
            votes.close()
    finally:
        lock.release()


def clip_files(root: Path) -> ClipFiles:
    """The clips of a data set's folder; UserError where there are none."""
    if not root.is_dir():
        raise UserError(f"there is no folder {root}")
    if not (root / "clips").is_dir():
        hint = f": give {root.parent}" if root.name == "clips" else "; tools/crop.py makes a folder that has it"
        raise UserError(f"{root} has no folder clips/, in which the videos are{hint}")
    files = ClipFiles(root)
    if not files.files:
        raise UserError(f"{root / 'clips'} holds no files")
    return files


def _grades_of(root: Path) -> tuple[str, ...]:
    return read_labels(root).grades if (root / LABELS).exists() else GRADES


def _check_grades(grades: tuple[str, ...], typed: bool) -> None:
    listed = ",".join(grades)
    if not 2 <= len(grades) <= MOST_GRADES:
        raise UserError(f"grades are 2 to {MOST_GRADES}, best first, as in --grades A,B,C; not {listed!r}")
    if not all(grades) or len({grade_key(grade).casefold() for grade in grades}) < len(grades):
        raise UserError(f"grades must differ, and not in capitals alone: {listed!r}")
    if letters := look_alikes(grades):
        raise UserError(f"grades {listed!r} hold letters that look alike: {letters}; type all in one alphabet")
    if typed and grade_order(grades) != list(grades):
        raise UserError(
            f"--grades {listed}: ratings.csv does not say which grade is the best, and is read as A, or the lowest "
            "number, being it: give letters or numbers in that order"
        )
