"""A video of a whole field, a frame at a time, so that memory does not grow with its length.

It is gone through twice: once for the times of all frames, damage and depth (`look_through`), before anything is
written, and once for the pictures (`pictures`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from tqdm import tqdm

from hybrid.data.clip import ClipError
from hybrid.data.picture import orientation, raise_samples, unused_bits
from hybrid.data.timing import in_order
from hybrid.data.video import Source, open_source
from hybrid.field.interlacing import Interlacing, deinterlaced


@dataclass(frozen=True, eq=False)
class FieldVideo:
    """width, height: px as shown. turned: what is done to a picture to show it (see `orientation`). times_N: seconds
    from the first frame, of every frame. unused: upper bits of 16 that no sample uses. interlaced: the order of the
    lines' moments (see `Interlacing`), '' where it is not."""

    path: Path
    width: int
    height: int
    turned: tuple[bool, bool, bool]
    times_N: np.ndarray
    unused: int
    interlaced: str
    notes: tuple[str, ...]

    @property
    def interval(self) -> float:
        """Median seconds from frame to frame."""
        return float(np.median(np.diff(self.times_N)))

    @property
    def rate(self) -> float:
        return 1 / self.interval


def look_through(path: Path) -> FieldVideo:
    """Decode all of a video once; a ClipError where it is damaged, or its pixels or times cannot be measured in."""
    times: list[float] = []
    first = None

    def images(source: Source) -> Iterator[av.VideoFrame]:
        nonlocal first
        total = source.stream.frames or None  # where the container counts them
        for frame in tqdm(in_order(source), "looking through", total, unit="frame", disable=None, leave=False):
            times.append(frame.time)
            interlacing.add(frame.image)
            first = first or frame.image
            if (frame.image.width, frame.image.height) != (first.width, first.height):
                raise ClipError(path, f"changes its size at frame {len(times) - 1}: split it there")
            yield frame.image

    with open_source(path) as source:
        if source.untimed:
            raise ClipError(
                path,
                "has neither time stamps nor a frame rate, so no speed can be measured; with the camera's rate, "
                f"`ffmpeg -framerate RATE -i {path.name} -c copy {path.stem}.mkv` gives it some",
            )
        interlacing = Interlacing(source)
        unused = unused_bits(images(source))
        source.check_complete()
        aspect, tick = source.stream.sample_aspect_ratio, float(source.stream.time_base)
        notes = tuple(source.notes)
    times_N = np.array(times) - times[0] if times else np.empty(0)
    if len(times_N) < 3:
        raise ClipError(path, f"has {len(times_N)} frames; a track needs 3 or more")
    if np.diff(times_N).min() <= 0:
        twice = int(np.diff(times_N).argmin()) + 1
        raise ClipError(path, f"has the same time stamp on frames {twice - 1} and {twice}, so no speed can be measured")
    if aspect and aspect != 1:
        raise ClipError(
            path,
            f"has pixels that are not square ({aspect.numerator}:{aspect.denominator}); make them so, and the boxes "
            f"with them: `ffmpeg -i {path.name} -vf scale=iw*sar:ih,setsar=1 square.mkv`",
        )
    turned = orientation(first)
    width, height = (first.height, first.width) if turned[0] else (first.width, first.height)
    return FieldVideo(path, width, height, turned, _unrounded(times_N, tick), unused, interlacing.order, notes)


def _unrounded(times_N: np.ndarray, tick: float) -> np.ndarray:
    """Times that are evenly apart but for their rounding to the container's ticks, evenly apart.

    Matroska counts in milliseconds. At 48 frames a second a frame's time is then off by up to 2 % of the interval, and
    so would be the speed along the path.
    """
    even_N = np.linspace(times_N[0], times_N[-1], len(times_N))
    return even_N if np.abs(times_N - even_N).max() <= tick * (1 + 1e-6) else times_N


def pictures(video: FieldVideo, deinterlace: bool = False, doing: str = "reading") -> Iterator[np.ndarray]:
    """(H, W, 3) uint8, of every frame in order, as shown. doing: for the progress bar."""
    with open_source(video.path) as source:
        frames = tqdm(source, doing, len(video.times_N), unit="frame", disable=None, leave=False)
        images = (frame.image for frame in frames)
        # Asked once and not of every frame: a frame that was asked for its side data is only freed by the collector.
        transposed, mirrored, upside_down = video.turned
        reformatter = VideoReformatter()
        for image in deinterlaced(source, images, video.interlaced) if deinterlace and video.interlaced else images:
            raise_samples(image, video.unused)
            picture_HWC = reformatter.reformat(image, format="rgb24", threads=1).to_ndarray()
            shown = picture_HWC.swapaxes(0, 1) if transposed else picture_HWC
            yield shown[:: -1 if upside_down else 1, :: -1 if mirrored else 1]
