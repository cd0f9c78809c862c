"""The boxes of one video, whatever file they came in: a table of one row a box.

Columns: frame (from 0), x, y (px, the box's centre), w, h (px), id (text; missing where the file has no identities),
label (the class's name as written, '' where the file has none). Sorted by frame.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import pandas as pd

from hybrid.data.problems import some_of
from hybrid.errors import UserError
from hybrid.field.video import FieldVideo

COLUMNS = ("frame", "x", "y", "w", "h", "id", "label")


def checked(boxes: pd.DataFrame, video: FieldVideo, where: Callable[[int], str]) -> pd.DataFrame:
    """The same, sorted by frame; a UserError for boxes that cannot be of this video.

    where: of a position in `boxes`, the file and line to name.
    """
    if boxes.empty:
        raise UserError(f"{video.path}: its boxes hold not one box")
    size = f"the picture of {video.width}x{video.height} px"
    outside = (boxes["x"] < 0) | (boxes["y"] < 0) | (boxes["x"] > video.width) | (boxes["y"] > video.height)
    wrong = {
        "has a width or height that is not above 0": ~((boxes["w"] > 0) & (boxes["h"] > 0)),
        f"lies beyond {size}; is it of another video, or another size of it?": outside,
        f"is larger than {size}": (boxes["w"] > video.width) | (boxes["h"] > video.height),
        f"is of a frame that {video.path.name} with its {len(video.times_N)} frames does not have; is it of another "
        "video?": (boxes["frame"] < 0) | (boxes["frame"] >= len(video.times_N)),
        "is the second one of its id in its frame": boxes.duplicated(["frame", "id"]) & boxes["id"].notna(),
    }
    for what, rows in wrong.items():
        if rows.any():
            first = int(rows.to_numpy().argmax())
            more = f" ({int(rows.sum())} of {len(boxes)} boxes are so)" if rows.sum() > 1 else ""
            raise UserError(f"{where(first)}: the box {what}{more}")
    if boxes["id"].isna().any() and boxes["id"].notna().any():
        first = int(boxes["id"].isna().to_numpy().argmax())
        raise UserError(f"{where(first)}: the box has no id, though others have one: give all an id, or none")
    return boxes.sort_values("frame", kind="stable", ignore_index=True)[list(COLUMNS)]


def of_classes(boxes: pd.DataFrame, classes: Collection[str], name: str) -> pd.DataFrame:
    """The boxes of these classes; where none is named and there is one alone, all. name: of the boxes, in errors."""
    counts = boxes["label"].value_counts()
    listed = ", ".join(f"{label} ({count} boxes)" for label, count in counts.items())
    if not classes:
        if len(counts) > 1:
            raise UserError(f"{name}: holds several classes, {listed}: name those of sperm with --classes")
        return boxes
    if unknown := set(classes) - set(counts.index):
        raise UserError(f"{name}: holds no class {some_of(sorted(unknown))}; it holds {listed}")
    return boxes[boxes["label"].isin(list(classes))].reset_index(drop=True)


def typical_side(boxes: pd.DataFrame) -> float:
    """px, the median over boxes of the longer side: about what a head with its halo measures."""
    return float(boxes[["w", "h"]].max(axis=1).median())
