"""What the microscope's camera records: frames to a video file, the same bytes every time, and back."""

import io
from fractions import Fraction

import av
import numpy as np


def record(frames_THWC: np.ndarray, frame_rate: float, quantiser: int) -> bytes:
    """An MPEG-4 file (mp4) of uint8 frames, as many cameras of microscopes make it: blocks, blotches and all.

    `quantiser`: 1 is next to lossless, 31 coarse. One encoding thread, so that the same frames give the same file.
    """
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        options = {"qmin": str(quantiser), "qmax": str(quantiser), "flags": "+bitexact", "idct": "simple"}
        stream = container.add_stream("mpeg4", rate=Fraction(frame_rate).limit_denominator(1000), options=options)
        stream.height, stream.width = frames_THWC.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        for picture in frames_THWC:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def play(file) -> np.ndarray:
    """(T, H, W, 3) uint8 frames of a file: a path, or its bytes."""
    with av.open(io.BytesIO(file) if isinstance(file, bytes) else str(file)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
