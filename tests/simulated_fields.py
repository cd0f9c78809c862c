"""Field videos whose truth is known: sperm of the simulator composed into one field, and their boxes."""

import itertools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd

from hybrid.simulator.clip import draw_cell, film
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings

UM_PER_PX, RATE, SECONDS = 0.5, 48.0, 1.25
TILE = 160
"""px of the field for each cell"""
INSIDE = 20
"""px that a head keeps away from its tile's border"""


@dataclass(frozen=True)
class Field:
    """paths: of each cell, its head's centre in every frame, px of the field. boxes: frame, x, y (centre), w, h, id."""

    video: Path
    frames_THWC: np.ndarray
    paths: dict[str, np.ndarray]
    boxes: pd.DataFrame
    frame_rate: float = RATE


def write_video(path: Path, frames_THWC, rate: float = RATE, codec: str = "ffv1", **options) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(rate).limit_denominator(10_000), options=options)
        stream.height, stream.width = frames_THWC.shape[1:3]
        stream.pix_fmt = "gray" if codec == "ffv1" else "yuv420p"
        for picture in frames_THWC:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def make_field(folder: Path) -> Field:
    """Six swimming cells side by side under a fixed camera, 3 x 2 tiles."""
    settings = Settings(
        size=TILE,
        num_frames=round(SECONDS * RATE),
        frame_rate=RATE,
        um_per_px=UM_PER_PX,
        camera="fixed",
        colour=False,
        subframes=4,
        microscope="bright",
    )
    tiles, paths, rows = [], {}, []
    cells = (draw_cell(3, number, settings, get_preset("standard")) for number in itertools.count())
    for cell in cells:
        if not cell.beat.motile:
            continue
        frames_THWC, _, swim, camera_T2 = film(cell, settings)
        place = swim.at(np.arange(settings.num_frames) / RATE)[0]
        path = (place - camera_T2) / UM_PER_PX + (TILE - 1) / 2
        if path.min() < INSIDE or path.max() > TILE - INSIDE:
            continue
        index = len(tiles)
        name, path = f"cell{index}", path + TILE * np.array([index % 3, index // 3])
        tiles.append(frames_THWC if frames_THWC.shape[-1] == 3 else frames_THWC.repeat(3, -1))
        paths[name] = path
        rows += [(t, x, y, 16.0, 14.0, name) for t, (x, y) in enumerate(path)]
        if len(tiles) == 6:
            break
    frames_THWC = np.concatenate([np.concatenate(tiles[i : i + 3], 2) for i in (0, 3)], 1)
    boxes = pd.DataFrame(rows, columns=["frame", "x", "y", "w", "h", "id"])
    video = write_video(folder / "donor1.mkv", frames_THWC)
    return Field(video, frames_THWC, paths, boxes)


def write_boxes(folder: Path, boxes: pd.DataFrame, kind: str, size: tuple[int, int], stem: str = "donor1") -> Path:
    """The boxes as one of the formats; those of a file a frame also have files of frames without a box."""
    folder.mkdir(parents=True, exist_ok=True)
    width, height = size
    left, top = boxes["x"] - boxes["w"] / 2, boxes["y"] - boxes["h"] / 2
    path = folder / f"{stem}.csv"
    if kind in ("csv", "csv without ids"):
        table = pd.DataFrame({"frame": boxes["frame"], "x": left, "y": top, "w": boxes["w"], "h": boxes["h"]})
        (table if kind != "csv" else table.assign(id=boxes["id"])).to_csv(path, index=False)
        return path
    if kind == "mot":
        path = folder / f"{stem}.txt"
        number = boxes["id"].str[4:].astype(int) + 1
        table = pd.DataFrame([boxes["frame"] + 1, number, left, top, boxes["w"], boxes["h"]]).T
        table.assign(confidence=1, a=-1, b=-1, c=-1).to_csv(path, index=False, header=False)
        return path
    for frame in range(int(boxes["frame"].max()) + 1):
        some = boxes[boxes["frame"] == frame]
        if kind == "voc":
            objects = "".join(
                f"<object><name>sperm</name><bndbox><xmin>{b.x - b.w / 2}</xmin><ymin>{b.y - b.h / 2}</ymin>"
                f"<xmax>{b.x + b.w / 2}</xmax><ymax>{b.y + b.h / 2}</ymax></bndbox></object>"
                for b in some.itertuples()
            )
            sides = f"<size><width>{width}</width><height>{height}</height></size>"
            (folder / f"{stem}_{frame:04d}.xml").write_text(f"<annotation>{sides}{objects}</annotation>")
        else:
            lines = [
                (f"{b.id} " if kind == "yolo with ids" else "")
                + f"0 {b.x / width:.9f} {b.y / height:.9f} {b.w / width:.9f} {b.h / height:.9f}\n"
                for b in some.itertuples()
            ]
            (folder / f"{stem}_frame_{frame}.txt").write_text("".join(lines))
    return folder
