"""Frames to a video file, the same bytes every time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

QUALITY = 12
"""x264's constant rate factor: the finest texture survives it"""


def write_video(path: Path, frames_THWC: np.ndarray, frame_rate: float) -> None:
    """An H.264 mp4 of uint8 frames; one encoding thread, so that the same frames give the same file."""
    rate = Fraction(frame_rate).limit_denominator(1000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264",
            rate=rate,
            options={
                "crf": str(QUALITY),
                "preset": "veryfast",
                "threads": "1",
                "x264-params": "threads=1:lookahead-threads=1",
            },
        )
        stream.height, stream.width = frames_THWC.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        for picture in frames_THWC:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
