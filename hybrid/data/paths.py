"""Which file a row of a table means."""

from __future__ import annotations

import difflib
import os
import posixpath
import re
import unicodedata
from pathlib import Path


class ClipFiles:
    """The files under `<root>/clips`, found by the names people write in tables."""

    def __init__(self, root: Path):
        self.folder = root / "clips"
        self.files = sorted(_files_under(self.folder))
        self._by_name = {plain_name(name): name for name in self.files}
        self._hints = 20  # a hint compares with every file: not for thousands of wrong names

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
            if (self.folder / path).is_file():
                return path, ""
            if (found := self._by_name.get(plain_name(path))) is not None:
                return found, ""
        if (self.folder / written).is_dir():
            return None, f"clip {written!r} is a folder"
        return None, f"clip {written!r}: there is no such file in clips/{self._hint(written)}"

    def _hint(self, written: str) -> str:
        self._hints -= 1
        if self._hints < 0:
            return ""
        short = written.removeprefix("clips/").lower()
        near = [name for name in self.files if short in (name.lower(), posixpath.splitext(name)[0].lower())]
        near = near or difflib.get_close_matches(written, self.files, n=1, cutoff=0.8)
        return f" (there is {near[0]!r})" if near else ""


def plain_name(name: str) -> str:
    """A name as tables and file systems agree on it: accents composed, spaces plain and none around it."""
    return unicodedata.normalize("NFC", name).replace("\xa0", " ").strip()


def _files_under(folder: Path):
    """Posix paths of the files in a folder, without hidden ones and linked folders (which may go in circles)."""
    for directory, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and name not in ("Thumbs.db", "desktop.ini"):
                yield Path(directory, name).relative_to(folder).as_posix()
