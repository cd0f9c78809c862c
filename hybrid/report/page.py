"""What the page of an experiment shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hybrid.display.figures import Picture
from hybrid.display.pages import rendered
from hybrid.display.tables import Table
from hybrid.files import write_text
from hybrid.report.ablations import AblationPart
from hybrid.report.clips import Films, HardClip
from hybrid.report.origin import Origin


@dataclass(frozen=True)
class Contents:
    """What the template shows. pictures and tables by name; `facts` are a few words each below the heading."""

    experiment: str
    simulated: bool
    leaks: list[str]
    """of runs whose start may have seen their test clips"""
    facts: list[str]
    lead: str
    grades: tuple[str, ...]
    tables: dict[str, Table]
    pictures: dict[str, Picture]
    registered: list[str]
    caveats: list[str]
    """which pre-registered contrasts are not answered, or not as they were meant"""
    exploratory: list[str]
    ablations: list[AblationPart]
    notes: list[str]
    clips: list[HardClip]
    films: Films | None
    no_films: str
    origin: Origin


def write_page(path: Path, contents: Contents) -> None:
    write_text(path, rendered("hybrid.report", "page.html.j2", vars(contents)))
