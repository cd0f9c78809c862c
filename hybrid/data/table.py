"""A CSV file as spreadsheets and people write them, read into rows of clean text.

Understood: UTF-8 with or without BOM, UTF-16 with BOM, others where they can be told (`hybrid.data.encoding`); commas,
semicolons or tabs; quotes; LF, CRLF or CR; Excel's `sep=;` line; spaces around values; empty lines; empty columns at
the end.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from hybrid.data.encoding import decoded
from hybrid.data.problems import Problems

SEPARATORS = (",", ";", "\t")
WIDE_NUMBER = re.compile("[\uff10-\uff19\uff0b\uff0c\uff0d\uff0e]+")
"""as a Japanese keyboard types one"""

TEXTS, SHEETS = (".csv", ".tsv", ".txt"), (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
"""endings of files that may be a table under another name"""

SYNONYMS = {
    "group": "patient donor subject sample source video case group gruppe spender proband probe",
    "clip": "file filename name path video movie datei",
    "grade": "rating score vote class stufe",
    "rater": "expert reader reviewer observer annotator user gutachter",
}
"""what people call our columns, without capitals, a final s, and an id"""


@dataclass(frozen=True)
class Row:
    """line: number in the file, from 1, as an editor shows it. cells: column name -> text."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """name: of the file. notices: what is odd about it but no error. groups_from: the file that the column 'group' was
    taken from, where it is another one.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notices: tuple[str, ...] = ()
    groups_from: str = ""


def read_table(
    path: Path,
    required: tuple[str, ...],
    problems: Problems,
    optional: tuple[str, ...] = (),
    clips: Collection[str] = (),
) -> Table | None:
    """The table, or None where it cannot be read at all; problems are added.

    required, optional: names of columns, in lower case; they are found in any case and renamed to this one.
    clips: names of files that the table may mention, which can tell its encoding.
    Rows with too many or too few cells are problems and left out.
    """
    name = path.name
    data = _read_bytes(path, problems)
    if data is None or (read := decoded(data, name, problems, clips)) is None:
        return None
    text, notice = read
    lines, skipped = text.splitlines(keepends=True), 0
    while lines and not lines[0].strip(" \t\r\n,;"):
        lines, skipped = lines[1:], skipped + 1
    separator = None
    if lines and (told := re.fullmatch(r'"?sep=(.)"?[,;\t]*', lines[0].strip("\r\n"), re.IGNORECASE)):
        separator, lines, skipped = told[1], lines[1:], skipped + 1
    if not lines:
        problems.add(f"{name}: is empty")
        return None
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=separator or _separator(lines[0], required))
    try:
        records = [(reader.line_num + skipped, [_clean(cell) for cell in record]) for record in reader]
    except csv.Error as error:
        problems.add(f"{name} row {reader.line_num + skipped}: is not CSV ({error})")
        return None
    header = records[0][1]
    records = [(line, cells) for line, cells in records[1:] if any(cells)]
    width = len(header)
    while width > 1 and not header[width - 1] and not any(any(cells[width - 1 :]) for _, cells in records):
        width -= 1
    columns = [column.lower() if column.lower() in required + optional else column for column in header[:width]]
    if not _good_header(columns, required, name, problems):
        return None
    rows = []
    for line, cells in records:
        cells = cells[:width] if not any(cells[width:]) else cells
        if len(cells) != width:
            problems.add(
                f"{name} row {line}: has {len(cells)} values where the header has {width} columns"
                + (" (decimal commas need ';' between the values)" if len(cells) > width else "")
            )
            continue
        rows.append(Row(line, dict(zip(columns, cells, strict=True))))
    if not records:
        problems.add(f"{name}: has a header but no rows")
    return Table(name, tuple(columns), tuple(rows), (notice,) if notice else ())


def _read_bytes(path: Path, problems: Problems) -> bytes | None:
    if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for, for ever
        problems.add(f"{path.name}: is no regular file")
        return None
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        problems.add(f"{path.name}: there is no such file in {path.parent}" + misnamed(path))
        return None
    except OSError as error:
        problems.add(f"{path.name}: cannot be read: {(error.strerror or str(error)).lower()}")
        return None
    if data.startswith(b"PK\x03\x04"):
        problems.add(f"{path.name}: is a spreadsheet or zip file; save it as CSV")
        return None
    return data


def misnamed(path: Path) -> str:
    """What to do with a file that is there in place of this one, in other capitals or another format, else ''."""
    if path.exists() or not path.parent.is_dir():
        return ""
    for other in sorted(path.parent.iterdir()):
        if other.stem.lower() in (path.stem, path.name) and other.suffix.lower() in TEXTS:
            return f"; there is {other.name!r}: rename it to {path.name}"
        if other.stem.lower() in (path.stem, path.name) and other.suffix.lower() in SHEETS:
            return f"; there is {other.name!r}: open it and save it as CSV, as {path.name}"
    return ""


def _separator(header: str, required: tuple[str, ...]) -> str:
    """The separator under which the header holds most of the required columns, then the most columns."""

    def fit(separator: str) -> tuple[int, int]:
        cells = [_clean(cell).lower() for cell in next(csv.reader([header], delimiter=separator))]
        return len(set(required) & set(cells)), len(cells)

    return max(SEPARATORS, key=fit)


def _clean(cell: str) -> str:
    cell = cell.replace("\xa0", " ").replace("\ufeff", "").strip()
    return unicodedata.normalize("NFKC", cell) if WIDE_NUMBER.fullmatch(cell) else cell


def renaming(column: str, ours: str) -> str:
    """': rename it to group' where a column's name is another word for ours, else ''."""
    plain = re.sub(r"[^a-z]", "", column.lower())
    words = {plain, plain.removesuffix("s"), plain.removesuffix("id"), plain.removesuffix("in")}
    return f": rename it to {ours}" if column != ours and words & set(SYNONYMS.get(ours, "").split()) else ""


def _good_header(columns: list[str], required: tuple[str, ...], name: str, problems: Problems) -> bool:
    before = len(problems.problems)
    for column in required:
        if column not in columns:
            meant = next((other for other in columns if renaming(other, column)), None)
            problems.add(
                f"{name}: there is no column {column!r}"
                + (f" but {meant!r}{renaming(meant, column)}" if meant else "")
                + f"; the first line has {', '.join(map(repr, columns))}"
            )
    for column in dict.fromkeys(columns):
        if columns.count(column) > 1:
            problems.add(f"{name}: the column {column!r} is there {columns.count(column)} times")
        elif not column:
            problems.add(f"{name}: column {columns.index(column) + 1} has no name")
    return len(problems.problems) == before
