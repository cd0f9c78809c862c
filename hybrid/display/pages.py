"""A page: one file with everything in it, that opens from disk and asks the network for nothing."""

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from hybrid.display.figures import Picture
from hybrid.display.tables import Table, as_latex, as_markdown


@dataclass(frozen=True)
class Section:
    """A part of a page, its tables and figures.

    name: its id. layout: the macro of the page's templates that shows it, with what `text` holds beside the rest.
    notes: below its first table, in that table's files, too. printed: what a terminal is told of it.
    links: (id, title) of what the page's navigation names, by default the section.
    """

    name: str
    title: str
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    layout: str = "plain"
    text: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    printed: str = ""
    links: tuple[tuple[str, str], ...] = ()

    def write(self, folder: Path) -> None:
        """The tables' files; those of the figures are written when they are drawn."""
        for number, table in enumerate(self.tables):
            table.write(folder, () if number else self.notes)


def rendered(package: str, template: str, contents: dict[str, Any]) -> str:
    """A template of that package with its contents filled in; it can include the shared ones, which lie here."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "templates"), PackageLoader("hybrid.display", "templates")]),
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
