"""Which file a row of a table means."""

import os
import posixpath
import re
import unicodedata
from pathlib import Path

LABELS, RATINGS, CLIPS = "labels.csv", "ratings.csv", "clips.csv"
"""tables of a data set: the panel's votes on each clip; each rater's; where each clip was cut out"""


class ClipFiles:
    """The files under `<root>/clips`, found by the names people write in tables."""

    def __init__(self, root: Path):
        self.folder = root / "clips"
        self.files = sorted(_files_under(self.folder))
        self._by_name = {plain_name(name): name for name in self.files}
        self._by_stem = {posixpath.splitext(name)[0].lower(): name for name in self.files}

    def find(self, written: str) -> tuple[str | None, str]:
        """(posix path relative to clips/, "") or (None, what is wrong).

        A name is taken as written, or else in any Unicode form (macOS writes accents in another one than Windows)
        and with backslashes for slashes.
        """
        if not written:
            return None, "names no clip"
        for name in (written, written.replace("\\", "/")):
            path = posixpath.normpath(name)
            if path.startswith("/") or path.split("/")[0] == ".." or re.match(r"[A-Za-z]:[\\/]", name):
                return None, f"clip {written!r} lies outside clips/; paths are relative to that folder"
            if os.path.isfile(self.folder / path):  # pathlib's raises an error of a name that is too long
                return path, ""
            if (found := self._by_name.get(plain_name(path))) is not None:
                return found, ""
        if os.path.exists(self.folder / written):
            kind = "a folder" if os.path.isdir(self.folder / written) else "no regular file"
            return None, f"clip {written!r} is {kind}"
        return None, f"clip {written!r}: there is no such file in clips/{self._hint(written)}"

    def beside(self, written: str) -> bool:
        """Whether a clip lies beside clips/ and not inside."""
        return bool(written) and os.path.isfile(self.folder.parent / written.replace("\\", "/"))

    def _hint(self, written: str) -> str:
        """The file that differs in capitals, ending or a leading clips/ alone, or lies beside clips/."""
        stem = posixpath.splitext(written.removeprefix("clips/"))[0].lower()
        near = self._by_stem.get(stem) or self._by_stem.get(written.lower())
        if not near and self.beside(written):
            return ", but beside it: move it there"
        return f" (there is {near!r})" if near else ""


def plain_name(name: str) -> str:
    """A name as tables and file systems agree on it: accents composed, spaces plain and none around it."""
    return unicodedata.normalize("NFC", name).replace("\xa0", " ").strip()


def group_name(name: str) -> str:
    """A patient's name or number, however it was typed: as `plain_name`, wide letters and digits as narrow ones, spaces
    of any kind and number as one, and `1.0`, as programs write a 1, as 1. Names that differ in more are different.
    """
    return re.sub(r"^([0-9]+)\.0+$", r"\1", " ".join(unicodedata.normalize("NFKC", name).split()))


def rater_key(name: str) -> str:
    """Equal of names that are one rater's: those that differ as `group_name` has it, or in capitals."""
    return group_name(name).casefold()


def near_group(name: str) -> str:
    """The same without capitals, zeros that lead a number, which mark parts words, and whether one parts a word from a
    number: equal for likely slips.
    """
    marked = re.sub(r"[\s_.-]+", "-", group_name(name).casefold())
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"(?<=[^\W\d])-(?=\d)", "", marked))


def is_dataset(folder: Path) -> bool:
    """Whether a folder is laid out as a data set, graded (labels.csv, ratings.csv) or not yet (clips.csv, as
    tools/crop.py writes it): then its clips are what lies in clips/, and nothing else is one."""
    return (folder / "clips").is_dir() and any((folder / table).is_file() for table in (LABELS, RATINGS, CLIPS))


def clips_under(folder: Path) -> list[Path]:
    """Every file below a folder that may be a clip, in order; of the data sets among its folders what is in clips/."""
    if is_dataset(folder):
        return [folder / "clips" / name for name in sorted(_files_under(folder / "clips"))]
    inside = [entry for entry in sorted(folder.iterdir()) if not _hidden(entry.name)]
    found = [[entry] if entry.is_file() else clips_under(entry) for entry in inside if not _linked_folder(entry)]
    return [clip for clips in found for clip in clips]


def _files_under(folder: Path):
    """Posix paths of the files in a folder, without hidden ones and linked folders (which may go in circles)."""
    for directory, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(directory, name)
            if not _hidden(name) and (path.is_file() or path.is_symlink()):  # a pipe would be waited for, for ever
                yield path.relative_to(folder).as_posix()


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in ("Thumbs.db", "desktop.ini")


def _linked_folder(path: Path) -> bool:
    return path.is_symlink() and path.is_dir()
