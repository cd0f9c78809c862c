"""A table as terminal text, CSV, Markdown and LaTeX; the page shows the same rows."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import pandas as pd

from hybrid.files import whole_file, write_text


class Column(NamedTuple):
    """One column as people read it.

    text: what is read in a row of the frame. sort: the frame's column that orders it, or None where order means
    nothing. figure: whether it is a number, to the right. about: what the heading means, in a few words.
    """

    heading: str
    text: Callable[[Any], str]
    sort: str | None = None
    figure: bool = True
    about: str = ""

    @classmethod
    def words(cls, heading: str, key: str) -> Self:
        """key, here and below: a column of the frame that has a plain name, and orders the rows."""
        return cls(heading, lambda row: getattr(row, key), key, figure=False)

    @classmethod
    def number(cls, heading: str, key: str, digits: int = 2, *, sign: bool = False, about: str = "") -> Self:
        return cls(heading, lambda row: number(getattr(row, key), digits, sign=sign), key, about=about)

    @classmethod
    def spread(cls, heading: str, key: str, *, about: str = "") -> Self:
        """Of <key>_mean and <key>_sd."""
        mean, sd = f"{key}_mean", f"{key}_sd"
        return cls(heading, lambda row: spread(getattr(row, mean), getattr(row, sd)), mean, about=about)

    @classmethod
    def interval(cls, heading: str, low: str, high: str, *, sign: bool = False, about: str = "") -> Self:
        return cls(heading, lambda row: interval(getattr(row, low), getattr(row, high), sign=sign), low, about=about)


@dataclass(frozen=True)
class Table:
    """`frame` has the full figures, for machines; `columns` say how people read them. The first column names the row.

    Headings are plain ASCII, with `x10^-2` for a factor; each form writes it its own way.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    sorted_by: str = ""
    """the column of the frame that its rows ascend by"""

    @property
    def headings(self) -> list[str]:
        return [column.heading for column in self.columns]

    def rows(self) -> Iterator[tuple[Any, list[str]]]:
        """Each row of the frame, and its cells as they are read."""
        return zip(self.frame.itertuples(index=False), self.cells(), strict=True)

    def order(self, row: Any, column: Column) -> Any:
        """What puts the row in its place when the table is sorted by the column; None where there is nothing."""
        if column.sort is None:
            return None
        value = row[self.frame.columns.get_loc(column.sort)]
        return None if pd.isna(value) else value

    def cells(self) -> list[list[str]]:
        return [[column.text(row) for column in self.columns] for row in self.frame.itertuples(index=False)]

    def write(self, folder: Path, notes: tuple[str, ...] = ()) -> None:
        """<name>.csv with full figures; <name>.md and <name>.tex as people read it, the notes below."""
        with whole_file(folder / f"{self.name}.csv") as temporary:
            self.frame.to_csv(temporary, index=False)
        write_text(folder / f"{self.name}.md", "\n\n".join([self.caption, as_markdown(self), *notes]) + "\n")
        write_text(folder / f"{self.name}.tex", as_latex(self, notes))


def formatted(frame: pd.DataFrame, headings: dict[str, tuple[str, str]]) -> Table:
    """Of the frame's columns that hold anything, each with its heading and format; '{}' is for words, to the left."""

    def column(name: str, heading: str, form: str) -> Column:
        place = frame.columns.get_loc(name)
        return Column(heading, lambda row: form.format(row[place]) if _known(row[place]) else "-", figure=form != "{}")

    shown = [name for name in headings if name in frame and any(map(_known, frame[name]))]
    return Table("", "", frame, tuple(column(name, *headings[name]) for name in shown))


def _known(value: Any) -> bool:
    return not pd.isna(value) and value != ""


def as_terminal(table: Table, leave_out: Collection[str] = ()) -> str:
    """leave_out: headings of columns for which a terminal has no room."""
    kept = tuple(column for column in table.columns if column.heading not in leave_out)
    table = replace(table, columns=kept)
    rows = [table.headings, *table.cells()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column.figure else cell.ljust(width)
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        ).rstrip()
        for row in rows
    )


def as_markdown(table: Table) -> str:
    rule = ["--:" if column.figure else ":--" for column in table.columns]
    rows = [table.headings, rule, *([cell.replace("|", r"\|") for cell in row] for row in table.cells())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def as_latex(table: Table, notes: tuple[str, ...] = ()) -> str:
    """A floating table with the rules of the package booktabs."""
    frame = pd.DataFrame(table.cells(), columns=table.headings).map(_latex).rename(columns=_latex)
    kinds = "".join("r" if column.figure else "l" for column in table.columns)
    text = frame.style.hide(axis="index").to_latex(hrules=True, column_format=kinds, caption=_latex(table.caption))
    below = "".join(rf"\par\footnotesize {_latex(note)}" + "\n" for note in notes)
    return "% needs \\usepackage{booktabs}\n" + text.replace("\\end{table}", below + "\\end{table}")


LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    **{character: "\\" + character for character in "&%$#_{}"},
}


def _latex(text: str) -> str:
    factor, negative = "\0", "\1"
    text = text.replace("x10^-2", factor).replace(" -", f" {negative}").replace("(-", f"({negative}")
    text = negative + text[1:] if text.startswith("-") and text[1:2].isdigit() else text
    text = "".join(LATEX.get(character, character) for character in text)
    return text.replace(factor, r"$\times10^{-2}$").replace(negative, "$-$")


def number(value: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """`-` where there is none."""
    return "-" if pd.isna(value) else f"{value:{'+' if sign else ''}.{digits}f}"


def significant(value: float | None) -> str:
    return "-" if pd.isna(value) else f"{value:.3g}"


def spread(mean: float | None, sd: float | None) -> str:
    """mean (sd)"""
    return number(mean) if pd.isna(sd) else f"{number(mean)} ({number(sd)})"


def interval(low: float | None, high: float | None, digits: int = 2, *, sign: bool = False) -> str:
    return "-" if pd.isna(low) else f"{number(low, digits, sign=sign)} to {number(high, digits, sign=sign)}"


def counted(number: int, noun: str) -> str:
    """'1 model', '2 models'"""
    return f"{number} {noun}" + ("" if number == 1 else "s")
