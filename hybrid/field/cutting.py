"""The windows of a video cut out in one go through it: only those clips are in memory that are being filled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from hybrid.errors import UserError
from hybrid.field.windows import Camera, Window

CODEC, OPTIONS = "libx264", {"crf": "8", "preset": "medium", "mbtree": "0"}
"""what a browser can play, at a quality at which hardly a grey level is lost; with mbtree the same frames would make
another file each time"""


def cut(pictures: Iterable[np.ndarray], windows: list[Window], camera: Camera) -> Iterator[tuple[Window, np.ndarray]]:
    """Each window with its frames (T, side, side, 3) uint8, when the last of them has passed."""
    waiting = sorted(windows, key=lambda window: int(window.frames_T[0]), reverse=True)
    open_: list[tuple[Window, np.ndarray]] = []
    for number, picture_HWC in enumerate(pictures):
        while waiting and waiting[-1].frames_T[0] <= number:
            window = waiting.pop()
            open_.append((window, np.empty((len(window.frames_T), camera.side, camera.side, 3), np.uint8)))
        for window, frames_THWC in open_:
            for t in np.flatnonzero(window.frames_T == number):
                left, top = window.corners_T2[t]
                frames_THWC[t] = picture_HWC[top : top + camera.side, left : left + camera.side]
        yield from (done for done in open_ if done[0].frames_T[-1] <= number)
        open_ = [still for still in open_ if still[0].frames_T[-1] > number]


def check_codec() -> None:
    if CODEC not in av.codecs_available:
        raise UserError("videos are written by FFmpeg's libx264, which this build of PyAV lacks: pip install av")


def write_clip(path: Path, frames_THWC: np.ndarray, frame_rate: float) -> None:
    """An H.264 file (mp4)."""
    check_codec()
    with av.open(str(path), "w") as container:
        stream = container.add_stream(CODEC, rate=Fraction(frame_rate).limit_denominator(1000), options=OPTIONS)
        stream.height, stream.width = frames_THWC.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        for picture_HWC in frames_THWC:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture_HWC, format="rgb24")))
        container.mux(stream.encode(None))
