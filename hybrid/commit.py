"""Which version of this software is running."""

from __future__ import annotations

import subprocess
from pathlib import Path


def software_commit() -> str | None:
    """The commit that is checked out, and whether files differ from it; None where this is no git repository."""
    here = Path(__file__)

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(here.parent), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)  # or it is installed inside someone else's repository
        return git("rev-parse", "HEAD") + (" with changes" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
