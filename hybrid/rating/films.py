"""A video as the page plays it: its frames as pictures that every browser shows, with their own times."""

import base64
import io
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from PIL import Image

from hybrid.data.clip import ClipError
from hybrid.data.picture import displayed, plausible_aspect, raise_samples, unused_bits
from hybrid.data.timing import in_order
from hybrid.data.video import open_source

SECONDS = 10.0
"""of a longer video that are shown"""
SIDE = 720
"""px of the longer side, to which larger pictures are made smaller"""


@dataclass(frozen=True)
class Film:
    """width, height: px. times: seconds at which each frame is shown, from 0. seconds: length of the loop.
    frames: PNG, base64. whole: whether the video ends there."""

    width: int
    height: int
    times: tuple[float, ...]
    seconds: float
    whole: bool
    frames: tuple[str, ...]


def read_film(path: Path) -> Film:
    """The first `SECONDS` of a video at its own size and rate, nothing lost but what `SIDE` takes; else a ClipError."""
    with open_source(path) as source:
        timed = list(takewhile(lambda frame: frame.time < source.start + SECONDS, in_order(source)))
        if len(timed) < 2:
            raise ClipError(path, f"has {len(timed)} frames; a clip needs 2 or more")
        if source.finished:
            source.check_complete()
        images = [frame.image for frame in timed]
        unused, aspect = unused_bits(images), plausible_aspect(source.stream.sample_aspect_ratio)
        reformatter = VideoReformatter()
        frames = []
        for image in images:
            raise_samples(image, unused)
            frames.append(_picture(image, aspect, reformatter))
        whole = source.finished and source.latest < source.start + SECONDS
        times = tuple(round(frame.time - source.start, 6) for frame in timed)
        seconds = source.end - source.start if whole else SECONDS
    return Film(*frames[0].size, times, round(seconds, 6), whole, tuple(map(_png, frames)))


def _picture(image: av.VideoFrame, aspect: float, reformatter: VideoReformatter) -> Image.Image:
    """As it is to be seen: turned, with square pixels."""
    width, height = round(image.width * aspect), image.height
    scale = min(1.0, SIDE / max(width, height))
    shown = displayed(image, (round(width * scale), round(height * scale)), "rgb24", reformatter)
    grey = (shown == shown[:, :, :1]).all()
    return Image.fromarray(np.ascontiguousarray(shown[:, :, 0] if grey else shown))


def _png(picture: Image.Image) -> str:
    data = io.BytesIO()
    picture.save(data, "png", compress_level=1)
    return base64.b64encode(data.getvalue()).decode()
