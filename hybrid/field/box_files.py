"""Files of boxes, as programs for labelling and tracking write them, found for a video and read into one table.

a file a frame    Pascal VOC (.xml), px: xmin, ymin, xmax, ymax
                  YOLO (.txt), shares of the picture: class cx cy w h, or id class cx cy w h
a file a video    MOT (.txt or .csv without a header), px: frame,id,left,top,width,height,...; id -1: none
                  CSV with a header: frame,x,y,w,h[,id][,class], px; x and y are the left top corner, as in MOT

Frames are counted from 0 where a frame 0 is named, and from 1 in MOT, or where the last frame's number is the number of
frames; else the user has to say it.
"""

from __future__ import annotations

import re
import sys
from array import array
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from hybrid.data.problems import some_of
from hybrid.errors import UserError
from hybrid.field.boxes import COLUMNS, checked
from hybrid.field.video import FieldVideo

ENDINGS = (".xml", ".txt", ".csv")
NOTES = ("classes.txt", "readme.txt", "obj.names", "predefined_classes.txt")
"""files that labelling programs leave among those of the frames"""


def read_boxes(path: Path, video: FieldVideo, first_frame: int | None = None) -> tuple[pd.DataFrame, str]:
    """All boxes of a video in a file, or in a folder of them; and what was read, in words.

    first_frame: the number of the video's first frame in the files, 0 or 1; None: see above.
    """
    files = box_files(path, video.path.stem)
    if len(files) == 1:
        return _read_table(files[0], video, first_frame)
    return _read_frames(files, video, first_frame)


def box_files(path: Path, stem: str) -> list[Path]:
    """The file, or those of the video with this name in the folder."""
    if path.is_dir():
        return files_of(path, stem)
    if not path.exists():
        raise UserError(f"{path}: there is no such file or folder of boxes")
    return [path]


def files_of(folder: Path, stem: str) -> list[Path]:
    """The files of boxes of the video with this name: the one of its name; those whose names begin with it; or all,
    where they are alike but for the frame's number, and name no other video by a number of its own. Of the folder, or
    of a folder in it that is named after the video, whatever files are called there."""
    own = (folder / stem).is_dir()
    folder = folder / stem if own else folder
    found = sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in ENDINGS and file.name.lower() not in NOTES and not file.name.startswith(".")
    )
    if not found:
        raise UserError(f"{folder}: holds no files of boxes ({', '.join(ENDINGS)})")
    if same := [file for file in found if file.stem == stem]:
        return same[:1]
    if mine := [file for file in found if re.match(re.escape(stem) + r"(?![0-9A-Za-z])", file.stem)]:
        return mine
    kinds = sorted({_without_numbers(file) for file in found})
    if len(kinds) > 1 or _frame_number(found) is None or (kinds[0].count("<n>") > 1 and not own):
        raise UserError(
            f"{folder}: none of its files is named after {stem!r}; there are {some_of(kinds)}. If they are of this "
            f"video, put them into a folder called {stem!r} there"
        )
    return found


def _without_numbers(file: Path) -> str:
    return re.sub(r"\d+", "<n>", file.name)


def _frame_number(files: list[Path]) -> list[int] | None:
    """The number in each name that differs from file to file; None where there is not just one."""
    numbers = [re.findall(r"\d+", file.stem) for file in files]
    if len({len(n) for n in numbers}) != 1 or not numbers[0]:
        return None
    places = [i for i in range(len(numbers[0])) if len({int(n[i]) for n in numbers}) > 1]
    if len(files) == 1:
        return None
    return [int(n[places[0]]) for n in numbers] if len(places) == 1 else None


def _read_frames(files: list[Path], video: FieldVideo, first_frame: int | None) -> tuple[pd.DataFrame, str]:
    """A file a frame."""
    kinds = {file.suffix.lower() for file in files}
    if len(kinds) > 1 or ".csv" in kinds:
        raise UserError(f"{files[0].parent}: for one video, boxes are wanted in .xml files, .txt files, or one table")
    numbers = _frame_number(files)
    if numbers is None:
        raise UserError(
            f"{files[0].parent}: which number in the names is the frame's? Of {files[0].name!r}, {files[-1].name!r} "
            "just one number must differ from file to file"
        )
    if len(set(numbers)) < len(numbers):
        twice = next(n for n in numbers if numbers.count(n) > 1)
        raise UserError(f"{files[0].parent}: has several files of frame {twice}")
    frames = len(video.times_N)
    if len(files) > frames:
        raise UserError(
            f"{files[0].parent}: has {len(files)} files of frames, but {video.path.name} has {frames} frames; are they "
            "of another video?"
        )
    start = _start(min(numbers), max(numbers), frames, first_frame, files[0].parent)
    voc = kinds == {".xml"}
    read, rows = _voc if voc else _yolo, _Rows()
    for place, (file, number) in enumerate(zip(files, numbers, strict=True)):
        for line, (*figures, identity, label) in read(file, video):
            rows.add((number - start, *figures), identity, label, place, line)

    def where(row: int) -> str:
        place, line = rows.place(row)
        return f"{files[place]} line {line}" if line else f"{files[place]}"

    kind = "Pascal VOC" if voc else "YOLO"
    boxes = checked(rows.table(), video, where)
    return boxes, f"{len(files)} {kind} files like {files[0].name}, the first frame is {start}"


class _Rows:
    """Boxes as they are read, in 80 bytes each: a long video has a million, and tuples of objects take 400."""

    def __init__(self):
        self._figures, self._places = array("d"), array("q")
        self._ids: list[str | None] = []
        self._labels: list[str] = []

    def add(self, figures: tuple[float, ...], identity: str | None, label: str, file: int, line: int) -> None:
        """figures: frame, x, y, w, h."""
        self._figures.extend(figures)
        self._places.extend((file, line))
        self._ids.append(identity and sys.intern(identity))
        self._labels.append(sys.intern(label))

    def place(self, row: int) -> tuple[int, int]:
        """Its file's number, and the line there."""
        return self._places[2 * row], self._places[2 * row + 1]

    def table(self) -> pd.DataFrame:
        figures_N5 = np.array(self._figures).reshape(-1, 5)
        table = pd.DataFrame(dict(zip(COLUMNS, figures_N5.T, strict=False))).astype({"frame": int})
        return table.assign(id=pd.Series(self._ids, dtype=object), label=pd.Series(self._labels, dtype=object))


def _start(first: int, last: int, frames: int, told: int | None, name: Path) -> int:
    """The number that the video's first frame has."""
    if told is not None:
        return told
    if first == 0:
        return 0
    if last == frames:
        return 1
    raise UserError(
        f"{name}: names frames {first} to {last} of a video of {frames}; is its first one 0 or 1? Say it with "
        "--first-frame"
    )


def _voc(file: Path, video: FieldVideo) -> list:
    """[(0, (x, y, w, h, None, label)), ...]"""
    try:
        root = ElementTree.parse(file).getroot()
        width, height = (float(root.findtext(f"size/{side}") or 0) for side in ("width", "height"))
        if width and (width, height) != (video.width, video.height):
            raise UserError(
                f"{file}: is of a picture of {width:g}x{height:g} px, but {video.path.name} has {video.width}x"
                f"{video.height}; is it of another video?"
            )
        found = []
        for thing in root.iter("object"):
            left, top, right, bottom = (
                float(thing.findtext(f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax")
            )
            label = (thing.findtext("name") or "").strip()
            found.append((0, ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, None, label)))
        return found
    except (ElementTree.ParseError, TypeError, ValueError) as error:
        raise UserError(f"{file}: is no Pascal VOC file ({error})") from None


def _yolo(file: Path, video: FieldVideo) -> list:
    """[(line, (x, y, w, h, id or None, label)), ...]"""
    found = []
    for number, line in enumerate(_text(file).splitlines(), 1):
        values = line.split()
        if not values:
            continue
        if len(values) not in (5, 6):
            raise UserError(
                f"{file} line {number}: has {len(values)} values, not `class cx cy w h` or `id class cx cy w h`"
            )
        identity = values[0] if len(values) == 6 else None
        if identity is not None and not re.fullmatch(r"\d+", values[1]):
            raise UserError(
                f"{file} line {number}: the second of its 6 values is {values[1]!r}, no class: `id class cx cy w h` is "
                "wanted (without a confidence at the end)"
            )
        try:
            shares = [float(value) for value in values[-4:]]
        except ValueError:
            raise UserError(f"{file} line {number}: {' '.join(values[-4:])!r} are not four numbers") from None
        if not all(0 <= share <= 1 for share in shares):
            raise UserError(
                f"{file} line {number}: {' '.join(values[-4:])} lie beyond the picture: shares from 0 to 1 are wanted"
            )
        size = (video.width, video.height) * 2
        found.append(
            (number, (*(share * side for share, side in zip(shares, size, strict=True)), identity, values[-5]))
        )
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{file}: is not a text file in UTF-8") from None


def _read_table(path: Path, video: FieldVideo, first_frame: int | None) -> tuple[pd.DataFrame, str]:
    """One table for all frames, with or without a header. (Read by pandas: a long video has a million boxes.)"""
    with open(path, "rb") as file:
        start = file.read(4096)
    try:
        first = start.decode("utf-8-sig", errors="strict" if len(start) < 4096 else "ignore").split("\n")[0].strip()
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not a text file in UTF-8") from None
    if not first:
        raise UserError(f"{path}: is empty")
    separator = next((mark for mark in (";", "\t", ",") if mark in first), r"\s+")
    mot = re.match(r"[\s\"]*-?[\d.]+", first) is not None
    names = None if mot else [name.strip(' "').lower() for name in re.split(separator, first)]
    try:
        table = pd.read_csv(
            path,
            sep=separator,
            header=None if mot else 0,
            names=names,
            index_col=False,
            decimal="," if separator == ";" else ".",
            encoding="utf-8-sig",
            dtype={"id": str, "class": str},
            skipinitialspace=True,
        )
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not a text file in UTF-8") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise UserError(f"{path}: is no table of boxes ({str(error).strip()})") from None
    if mot:
        if table.shape[1] < 6:
            raise UserError(
                f"{path}: has no header and {table.shape[1]} values a line; MOT has frame,id,left,top,width,height,..."
            )
        table = table.iloc[:, :6].set_axis(["frame", "id", "x", "y", "w", "h"], axis=1)
        numbers = pd.to_numeric(table["id"], errors="coerce")
        table["id"] = table["id"].astype(str).where(numbers != -1)
    if missing := [name for name in ("frame", "x", "y", "w", "h") if name not in table]:
        raise UserError(f"{path}: there is no column {some_of(missing)}; its first line has {', '.join(table.columns)}")

    def where(row: int) -> str:
        return f"{path} line {row + (1 if mot else 2)}"

    figures = table[["frame", "x", "y", "w", "h"]].apply(pd.to_numeric, errors="coerce")
    bad = ~np.isfinite(figures.to_numpy(float)).all(axis=1) | (figures["frame"] % 1 != 0)
    if bad.any():
        raise UserError(f"{where(int(bad.to_numpy().argmax()))}: frame, x, y, w, h must be numbers, frame a whole one")
    if figures.empty:
        raise UserError(f"{path}: has no line of boxes below its first one")
    first, last = int(figures["frame"].min()), int(figures["frame"].max())
    told = 1 if mot and first_frame is None and first > 0 else first_frame
    start = _start(first, last, len(video.times_N), told, path)
    boxes = pd.DataFrame(
        {
            "frame": figures["frame"].astype(int) - start,
            "x": figures["x"] + figures["w"] / 2,
            "y": figures["y"] + figures["h"] / 2,
            "w": figures["w"].astype(float),
            "h": figures["h"].astype(float),
            "id": table["id"].astype(object) if "id" in table else None,
            "label": table["class"].fillna("") if "class" in table else "",
        }
    )
    kind = "MOT" if mot else "CSV"
    return checked(boxes, video, where), f"{path.name} ({kind}), the first frame is {start}"
