"""The page: one file with everything in it, that opens from disk and asks the network for nothing."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hybrid.files import write_text
from hybrid.report.ablations import AblationPart
from hybrid.report.clips import Films, HardClip
from hybrid.report.drawing import Picture
from hybrid.report.origin import Origin
from hybrid.report.table import Table, as_latex, as_markdown


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
    write_text(path, rendered("page.html.j2", vars(contents)))


def rendered(template: str, contents: dict[str, Any]) -> str:
    """A template of this package with its contents filled in."""
    environment = Environment(
        loader=PackageLoader("hybrid.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["powers"] = lambda text: str(text).replace("x10^-2", "×10⁻²").replace("x 10^-2", "× 10⁻²")
    environment.globals["downloads"] = downloads
    return environment.get_template(template).render(contents)


def downloads(table: Table) -> list[tuple[str, str, str]]:
    """(form, file name, data URI) of a table, so that the page alone is enough."""
    forms = (
        ("CSV", "csv", "text/csv", table.frame.to_csv(index=False)),
        ("Markdown", "md", "text/markdown", as_markdown(table) + "\n"),
        ("LaTeX", "tex", "application/x-tex", as_latex(table)),
    )
    return [
        (form, f"{table.name}.{suffix}", f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}")
        for form, suffix, kind, text in forms
    ]
