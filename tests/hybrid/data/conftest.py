"""Tiny videos whose every pixel is known, and data sets made of them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest


def write_video(
    path,
    frames,
    *,
    codec="ffv1",
    pix_fmt="gray",
    source="gray",
    rate=16,
    pts=None,
    time_base=None,
    pixel_aspect=None,
    options=None,
    sound=False,
):
    """Write frames (HW or HWC arrays, or ready VideoFrames); `pts` are in `time_base`, frame numbers by default."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", container_options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate)
        first = frames[0]
        height, width = (first.height, first.width) if isinstance(first, av.VideoFrame) else first.shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        if codec in ("libx264", "mpeg4", "mjpeg"):
            stream.codec_context.bit_rate = 4_000_000
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if time_base:
            stream.codec_context.time_base = time_base
        tone = container.add_stream("pcm_s16le", rate=8000, layout="mono") if sound else None
        for number, frame in enumerate(frames):
            if not isinstance(frame, av.VideoFrame):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format=source)
            frame.pts = number if pts is None else pts[number]
            frame.time_base = time_base or Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if tone:
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 8000 * 3), np.int16), format="s16", layout="mono")
            samples.sample_rate = 8000
            container.mux(tone.encode(samples))
            container.mux(tone.encode())
    return path


def grey_frames(count, size=(16, 16), step=10, start=0):
    """Frame i is all `start + step * i`."""
    return [np.full(size, start + step * i, np.uint8) for i in range(count)]


def noise_frames(count, size=(64, 64), seed=0):
    """Frames that do not compress, so that a part of the file is a part of the frames."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 255, size, dtype=np.uint8) for _ in range(count)]


@pytest.fixture(scope="session")
def video():
    return write_video


@pytest.fixture(scope="session")
def grey():
    return grey_frames


@pytest.fixture(scope="session")
def noise():
    return noise_frames


@pytest.fixture
def make_dataset(tmp_path):
    """make_dataset(labels_csv=None, clips=("a.mkv", "b.mkv", "c.mkv")) -> root; clip i is all grey level 20 i + 5.

    labels=False: without labels.csv.
    """

    def make(labels=None, clips=("a.mkv", "b.mkv", "c.mkv"), name="set"):
        root = tmp_path / name
        (root / "clips").mkdir(parents=True, exist_ok=True)
        for number, clip in enumerate(clips):
            write_video(root / "clips" / clip, grey_frames(16, step=0, start=20 * number + 5))
        if labels is None:
            labels = "clip,A,B,C\n" + "".join(f"{clip},{number + 1},2,3\n" for number, clip in enumerate(clips))
        if isinstance(labels, str):
            labels = labels.encode()
        if labels is not False:
            (root / "labels.csv").write_bytes(labels)
        return root

    return make
