"""Which file a row of a table means."""

from __future__ import annotations

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
            if (self.folder / path).is_file():
                return path, ""
            if (found := self._by_name.get(plain_name(path))) is not None:
                return found, ""
        if (self.folder / written).is_dir():
            return None, f"clip {written!r} is a folder"
        return None, f"clip {written!r}: there is no such file in clips/{self._hint(written)}"

    def _hint(self, written: str) -> str:
        """The file that differs in capitals, ending or a leading clips/ alone."""
        stem = posixpath.splitext(written.removeprefix("clips/"))[0].lower()
        near = self._by_stem.get(stem) or self._by_stem.get(written.lower())
        return f" (there is {near!r})" if near else ""


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
