"""The field video again, with each cell's box and grade drawn into it, a frame at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import to_hex
from PIL import Image, ImageDraw, ImageFont

from hybrid.field.cells import Cells
from hybrid.field.cutting import CODEC, check_codec
from hybrid.field.tracks import Segment, Track
from hybrid.grading.grades import NO_DECISION

TICKS = 90_000
"""a second: fine enough for the times of any camera"""
LINE, LABEL, TEXT = 17, 14, 12
"""px: the height of a line of text and of a cell's label, and the size of their letters"""
NOT_GRADED = "#b8b8b8"

Box = tuple[float, float, float, float]
"""left, top, right, bottom, px"""


def grade_colours(grades: tuple[str, ...]) -> list[str]:
    """From blue for the best to red for the worst, which the colour-blind tell apart, too."""
    return [to_hex(colormaps["RdYlBu_r"](place)) for place in np.linspace(0.15, 0.9, len(grades))]


def draw_video(path: Path, cells: Cells, table: pd.DataFrame, grades: tuple[str, ...]) -> None:
    """An H.264 file (mp4) of all frames at their times. table: as of `grades_table`."""
    check_codec()
    video, font = cells.video, ImageFont.load_default(TEXT)
    colours = dict(zip(grades, grade_colours(grades), strict=True))
    graded = table[table["windows"] > 0].set_index("track")
    labels = {
        number: (f"{number}: {row['top_grade']} {row['expected_grade']:.1f}", colours[row["top_grade"]])
        for number, row in graded.iterrows()
    }
    # H.264 wants even sides; two lines go below the picture, and have room beside a narrow one.
    width = max(video.width, round(font.getlength(NO_DECISION)) + 8)
    even = (width + width % 2, video.height + 2 * LINE + video.height % 2)
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        container.metadata["comment"] = NO_DECISION
        stream = container.add_stream(CODEC, rate=Fraction(video.rate).limit_denominator(1000))
        stream.options = {"crf": "20", "preset": "veryfast"}
        stream.width, stream.height = even
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        there = _boxes(cells.tracks, len(video.times_N))
        for time, picture_HWC, boxes in zip(video.times_N, cells.pictures("drawing"), there, strict=True):
            image = Image.new("RGB", even, "white")
            image.paste(Image.fromarray(np.ascontiguousarray(picture_HWC)))
            pen = ImageDraw.Draw(image)
            edges = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for _, (x, y), (w, h) in boxes]
            taken: list[Box] = []
            for (track, _, _), box in zip(boxes, edges, strict=True):
                label, colour = labels.get(track, ("", NOT_GRADED))
                pen.rectangle(box, outline=colour, width=2 if label else 1)
                if label:
                    place = label_place(box, font.getlength(label), (video.width, video.height), taken, edges)
                    taken.append(place)
                    pen.rectangle(place, fill=colour)
                    pen.text((place[0] + 1, place[1] - 1), label, fill="black", font=font)
            _legend(pen, video.height, colours, font)
            frame = av.VideoFrame.from_image(image)
            frame.pts, frame.time_base = round(time * TICKS), Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def label_place(box: Box, width: float, size: tuple[int, int], labels: Sequence[Box], boxes: Sequence[Box]) -> Box:
    """Where the label of a box goes: above it, or else below, to the right or to the left, the first that is in the
    picture (width, height) and hides none of the labels and boxes; or at least no label; or else above."""
    left, top, right, bottom = box
    middle = (top + bottom - LABEL) / 2
    corners = ((left, top - LABEL - 1), (left, bottom + 1), (right + 1, middle), (left - width - 3, middle))
    places = [(x, y, x + width + 2, y + LABEL) for x, y in corners]
    seen = [place for place in places if _inside(place, size)]
    for others in ([*labels, *boxes], labels):
        for place in seen:
            if not any(_overlap(place, other) for other in others):
                return place
    return places[0]


def _inside(place: Box, size: tuple[int, int]) -> bool:
    return place[0] >= 0 and place[1] >= 0 and place[2] <= size[0] and place[3] <= size[1]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _legend(pen: ImageDraw.ImageDraw, top: int, colours: dict[str, str], font) -> None:
    """What the colours mean, and what none of it is good for."""
    left = 4.0
    for name, colour in (*colours.items(), ("not graded", NOT_GRADED)):
        pen.rectangle((left, top + 4, left + 10, top + 14), fill=colour, outline="black")
        pen.text((left + 14, top + 1), name, fill="black", font=font)
        left += 26 + font.getlength(name)
    pen.text((4, top + LINE), NO_DECISION, fill="black", font=font)


def _boxes(tracks: tuple[Track, ...], frames: int) -> Iterator[list[tuple[int, np.ndarray, np.ndarray]]]:
    """For each frame the cells that are there: number of the track, centre, width and height."""
    waiting = sorted(
        ((segment.first, track.number, segment) for track in tracks for segment in track.segments),
        key=lambda one: one[:2],
        reverse=True,
    )
    there: list[tuple[int, Segment]] = []
    for number in range(frames):
        while waiting and waiting[-1][0] == number:
            there.append(waiting.pop()[1:])
        there = [(track, segment) for track, segment in there if segment.last >= number]
        yield [
            (track, segment.path_T2[number - segment.first], segment.sides_T2[number - segment.first])
            for track, segment in there
        ]
