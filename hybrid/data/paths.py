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
        self._by_form = {_form(name): name for name in self.files}

    def find(self, written: str) -> tuple[str | None, str]:
        """(posix path relative to clips/, "") or (None, what is wrong).

        A name is taken as written; then in any Unicode form (macOS writes accents in another one than Windows) and
        with backslashes for slashes.
        """
        if not written:
            return None, "names no clip"
        for name in (written, written.replace("\\", "/")):
            path = posixpath.normpath(name)
            if path.startswith("/") or path.split("/")[0] == ".." or re.match(r"[A-Za-z]:[\\/]", name):
                return None, f"clip {written!r} lies outside clips/; paths are relative to that folder"
            found = self._by_form.get(_form(path))
            if found is not None:
                return found, ""
        path = self.folder / written
        if path.is_dir():
            return None, f"clip {written!r} is a folder"
        return None, f"clip {written!r}: there is no such file in clips/{self._hint(written)}"

    def _hint(self, written: str) -> str:
        lower = {name.lower(): name for name in self.files}
        stems = {posixpath.splitext(name)[0].lower(): name for name in self.files}
        short = written.removeprefix("clips/").lower()
        near = [lower[short]] if short in lower else [stems[short]] if short in stems else None
        near = near or difflib.get_close_matches(written, self.files, n=1, cutoff=0.8)
        return f" (there is {near[0]!r})" if near else ""


def _form(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _files_under(folder: Path):
    """Posix paths of the files in a folder, hidden ones left out, links to folders followed once."""
    for directory, folders, files in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and name not in ("Thumbs.db", "desktop.ini"):
                yield Path(directory, name).relative_to(folder).as_posix()
