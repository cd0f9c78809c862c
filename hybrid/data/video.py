"""A video, from a file or an array, as the frames a model sees. The only module that needs PyAV.

Time: frames are wanted at i / frame_rate seconds after the first one, and each is the source frame with the nearest
presentation time (the earlier of two that are equally near). A longer video gives its first
num_frames / frame_rate seconds; of a shorter one the last frame is held: nothing loops or runs backwards, because
motion that was not seen must not be invented.
Space: turns and mirrors that the file asks for are obeyed, pixels are made square, the shorter side is scaled to `side`
and the centre kept.
"""

from __future__ import annotations

import errno
import math
import os
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from hybrid.data.clip import ClipError, ClipFacts, ClipSpec, DecodedClip, flatness
from hybrid.data.picture import Picture, PictureError, unused_bits
from hybrid.data.timing import TimestampError, in_order, nearest
from hybrid.errors import UserError

__all__ = [
    "ClipError",
    "ClipFacts",
    "ClipSpec",
    "DecodedClip",
    "Source",
    "SourceFrame",
    "clip_of_frames",
    "decode_clip",
    "open_source",
]

PLAYLISTS = ("concat", "hls", "dash", "imf", "sdp")
"""formats that take their frames from other files: a clip is what is in its own"""

DECODING_TIMES = ("avi", "asf", "mxf")
"""formats that say when a frame is decoded and not when it is shown (so do raw streams, if they say anything)"""

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""how TIFF and BigTIFF files begin"""

SMALLEST = 8
"""pixels a side"""

UNKNOWN_CODEC = "is coded in a way that this FFmpeg cannot decode"

av.logging.set_level(None)  # what FFmpeg would print, ClipError says


class SourceFrame(NamedTuple):
    """time: seconds on the source's own clock."""

    time: float
    image: av.VideoFrame


def decode_clip(path: Path | str, spec: ClipSpec) -> DecodedClip:
    """Decode the first `spec.seconds` of a video; whatever is wrong with it is a ClipError."""
    with open_source(Path(path)) as source:
        return _decode(source, spec)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The frames of a video file as they come; whatever is wrong with it is a ClipError, also while it is read."""
    try:
        _check_file(path)
        # The prefix keeps a colon in the name from being read as a protocol, the whitelist keeps a playlist that is
        # named like a video from fetching anything.
        with av.open(
            f"file:{path}", container_options={"protocol_whitelist": "file"}, metadata_errors="replace"
        ) as container:
            yield Source(path, container)
    except (TimestampError, PictureError) as error:
        raise ClipError(path, str(error)) from None
    except (av.error.FFmpegError, OSError, ValueError, RuntimeError, MemoryError) as error:
        raise ClipError(path, _reason(error)) from error


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise ClipError(path, "is a folder, not a video")
    if not path.exists():
        raise ClipError(path, "there is no such file")
    if not path.is_file():
        raise ClipError(path, "is not a regular file")
    with open(path, "rb") as file:
        if file.read(4) in TIFF:
            raise ClipError(
                path,
                "is a TIFF, which has no frame rate: save it as a video, in ImageJ by File > Save As > AVI, or by "
                f"`magick {path.name} page-%05d.png` and "
                f"`ffmpeg -framerate RATE -i page-%05d.png -c:v ffv1 {path.stem}.mkv`",
            )
    if os.path.getsize(path) == 0:
        raise ClipError(path, "is empty (0 bytes)")


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError) and not isinstance(error, av.error.FFmpegError):
        return "cannot be read: permission denied"
    if isinstance(error, av.error.EOFError) or (isinstance(error, OSError) and error.errno == errno.EIO):
        return "was cut off, or the disk cannot read it to its end"
    if isinstance(error, av.error.InvalidDataError):
        return "is no video that FFmpeg can read, or was cut off while it was written or copied"
    if isinstance(error, av.error.DecoderNotFoundError):
        return UNKNOWN_CODEC
    return f"cannot be decoded: {(getattr(error, 'strerror', None) or str(error) or type(error).__name__).lower()}"


def _decode(source: Source, spec: ClipSpec) -> DecodedClip:
    path = source.path
    taken = nearest(in_order(source), spec.times)
    if not taken:
        raise ClipError(path, "has no frames")
    if source.count > 1 and source.interval == 0:
        raise ClipError(path, "has the same time stamp on every frame")
    if source.finished:
        source.check_complete()
    distinct = len({id(frame) for frame in taken})
    if distinct < 2:
        count = "only one frame" if source.count < 2 else f"only one frame in its first {spec.seconds:g} s"
        raise ClipError(path, f"has {count}; a clip needs 2 or more")
    if min(taken[0].image.width, taken[0].image.height) < SMALLEST:
        size = f"{taken[0].image.width}x{taken[0].image.height}"
        raise ClipError(path, f"is {size} pixels; a clip needs {SMALLEST} or more a side")
    unused = unused_bits(frame.image for frame in taken)
    picture = Picture(spec, source.stream.sample_aspect_ratio, unused)
    frames_THWC = _rendered(taken, picture, spec)
    if unused:
        source.notes.append(f"only the lower {16 - unused} of 16 bits are used: made {2**unused} times brighter")
    if any(frame.image.interlaced_frame for frame in taken):
        source.notes.append("interlaced by its own account, which mixes two moments in a picture: deinterlace it first")
    length = source.end - source.start
    facts = ClipFacts(
        seconds=round(length if source.finished else max(length, source.declared_seconds or 0.0), 3),
        frame_rate=round(1 / source.interval, 3),
        width=picture.width,
        height=picture.height,
        padded=_held(spec, length) if source.finished else 0,
        distinct=distinct,
        flat=flatness(frames_THWC),
        notes=tuple(source.notes),
    )
    return DecodedClip(frames_THWC, facts)


def clip_of_frames(frames: np.ndarray, rate: float, spec: ClipSpec) -> DecodedClip:
    """What `decode_clip` makes of a video of these frames, `rate` a second.

    frames: uint8 of any size, (T, H, W) or (T, H, W, 1) grey, or (T, H, W, 3) RGB. Anything else, and fewer than two
    frames in the first `spec.seconds`, is a UserError.
    """
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim not in (3, 4) or (frames.ndim == 4 and frames.shape[3] not in (1, 3)):
        raise UserError(
            "frames must be uint8 of the shape (frames, height, width), or that with 1 or 3 channels last, not "
            f"{frames.dtype} {frames.shape}"
        )
    if min(frames.shape[1:3]) < SMALLEST:
        raise UserError(
            f"frames are {frames.shape[2]}x{frames.shape[1]} pixels; a clip needs {SMALLEST} or more a side"
        )
    if not (math.isfinite(rate) and rate > 0):
        raise UserError(f"rate is how many frames there are a second: above 0, not {rate}")
    grey = frames.ndim == 3 or frames.shape[3] == 1
    images = frames.reshape(frames.shape[:3]) if grey else frames
    taken = nearest([SourceFrame(n / rate, image) for n, image in enumerate(images)], spec.times)
    made = {
        time: SourceFrame(time, av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "gray" if grey else "rgb24"))
        for time, image in taken
    }
    if len(made) < 2:
        raise UserError(
            f"{len(frames)} frames at {rate:g} a second: a clip needs 2 or more in its first {spec.seconds:g} s"
        )
    picture = Picture(spec, pixel_aspect=1)
    frames_THWC = _rendered([made[time] for time, _ in taken], picture, spec)
    length = len(frames) / rate
    facts = ClipFacts(
        seconds=round(length, 3),
        frame_rate=rate,
        width=picture.width,
        height=picture.height,
        padded=_held(spec, length),
        distinct=len(made),
        flat=flatness(frames_THWC),
    )
    return DecodedClip(frames_THWC, facts)


def _rendered(taken: list[SourceFrame], picture: Picture, spec: ClipSpec) -> np.ndarray:
    """The frames as a model sees them, (T, H, W, C); the same one again is not rendered again."""
    frames_THWC = np.empty(spec.shape, np.uint8)
    for t, frame in enumerate(taken):
        repeated = t > 0 and frame is taken[t - 1]
        frames_THWC[t] = frames_THWC[t - 1] if repeated else picture.render(frame.image)
    return frames_THWC


def _held(spec: ClipSpec, length: float) -> int:
    """How many of the frames lie past the end of a source of so many seconds."""
    return sum(time > length - 1e-3 for time in spec.times)


class Source:
    """The frames of a container's video as the decoder gives them, with their times; damage is a ClipError."""

    def __init__(self, path: Path, container):
        if container.format.name in PLAYLISTS:
            raise ClipError(path, f"is no video but a playlist ({container.format.name}) that names other files")
        pictures = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
        if not pictures:
            what = (
                "only sound" if container.streams.audio else f"no video (FFmpeg takes it for {container.format.name!r})"
            )
            raise ClipError(path, f"holds {what}")
        self.path, self.container = path, container
        # The one marked as default, then the largest, as the ffmpeg command chooses; often there is a small preview.
        self.stream = max(pictures, key=lambda s: (bool(s.disposition & s.disposition.default), _pixels(s)))
        if self.stream.codec_context is None:
            raise ClipError(path, UNKNOWN_CODEC)
        self.stream.codec_context.thread_count = 1  # many clips are decoded at once instead
        self.notes: list[str] = []
        if len(pictures) > 1:
            self.notes.append("several videos in one file: taken is the default one, else the largest")
        self.untimed = self._raw and not self.stream.codec_context.framerate
        """neither time stamps nor a frame rate are in the file, and the rate is FFmpeg's guess"""
        if self.untimed:
            rate = float(self.stream.guessed_rate or 0)
            self.notes.append(f"no time stamps and no frame rate in the file: taken for {rate:g} frames a second")
        self.count = 0
        self.start, self.latest, self.latest_seconds = math.inf, -math.inf, 0.0
        self.finished = False

    def __iter__(self) -> Iterator[SourceFrame]:
        rate, time = self.stream.guessed_rate, None  # the average of a raw stream is FFmpeg's invention
        tells_decoding, times_of_decoding = self._tells_decoding, deque[float]()
        for packet in self.container.demux(self.stream):
            if tells_decoding and packet.size and packet.dts is not None:
                times_of_decoding.append(float(packet.dts * packet.time_base))
            for image in self._images(packet):
                if times_of_decoding:  # as many are decoded as are shown, so the n-th time is the n-th frame's
                    time = times_of_decoding.popleft()
                elif image.pts is not None:
                    time = float(image.pts * image.time_base)
                elif not rate:
                    raise ClipError(self.path, "has neither time stamps nor a frame rate")
                else:
                    time = 0.0 if time is None else time + float(1 / rate)
                self.count += 1
                self.start = min(self.start, time)
                if time >= self.latest:
                    self.latest, self.latest_seconds = time, float((image.duration or 0) * (image.time_base or 0))
                yield SourceFrame(time, image)
        self.finished = True

    @property
    def _tells_decoding(self) -> bool:
        """Whether the container's own times are those of decoding, and frames are decoded in another order than shown.

        The times that FFmpeg guesses then for showing are shuffled, or the first is off from the others by a frame.
        """
        without = self.container.format.name in DECODING_TIMES or self._raw
        return without and self.stream.codec_context.reorder_depth > 0

    @property
    def _raw(self) -> bool:
        return bool(self.container.format.flags & av.format.Flags.no_timestamps.value)

    def _images(self, packet) -> list[av.VideoFrame]:
        try:
            images = packet.decode()
        except av.error.InvalidDataError:
            images = None
        if packet.is_corrupt or images is None or any(image.is_corrupt for image in images):
            declared = f" of {self.stream.frames}" if self.stream.frames else ""
            raise ClipError(self.path, f"is damaged or cut off: only {self.count}{declared} frames can be decoded")
        return images

    @property
    def declared_seconds(self) -> float | None:
        if self.stream.duration:
            return float(self.stream.duration * self.stream.time_base)
        if tag := re.fullmatch(r"(\d+):(\d+):([\d.]+)", self.stream.metadata.get("DURATION", "")):  # Matroska
            return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])
        if self.container.duration and len(self.container.streams) == 1:  # else it may be the sound's
            return self.container.duration / av.time_base
        return None

    @property
    def interval(self) -> float:
        """Mean seconds from frame to frame."""
        return (self.latest - self.start) / max(self.count - 1, 1)

    @property
    def end(self) -> float:
        """Until when the last frame is shown; some containers do not say how long that is."""
        return self.latest + (self.latest_seconds or self.interval)

    def check_complete(self) -> None:
        """FFmpeg ends in silence where a file was cut off, so compare with the length that the container declares.

        Some containers count that length from 0, others from the first frame, ASF from when that is decoded.
        """
        length, declared = self.end - self.start, self.declared_seconds
        early = self.stream.codec_context.reorder_depth if self.container.format.name == "asf" else 0
        missing = (declared or 0) - max(self.end, length)
        if missing <= (0.75 + early) * max(self.interval, self.latest_seconds):
            return
        if self.container.format.name == "avi" and _whole_riff(self.path):
            self.notes.append("the last frames were dropped by what recorded it: the frame before is shown instead")
            self.latest_seconds = self.end + missing - self.latest
        else:
            raise ClipError(
                self.path,
                f"is cut off: {self.count} frames ({length:.2f} s) can be decoded, {declared:.2f} s are declared",
            )


def _pixels(stream) -> int:
    return 0 if stream.codec_context is None else stream.codec_context.width * stream.codec_context.height


def _whole_riff(path: Path) -> bool:
    """Whether all chunks that an AVI is made of end within the file, as they do not where it was cut off.

    Chunks: four letters, a length (little-endian, 0 where its writer was stopped), and as many bytes, made even.
    """
    size, position = os.path.getsize(path), 0
    with open(path, "rb") as file:
        while position + 8 <= size:
            file.seek(position)
            length = int.from_bytes(file.read(8)[4:], "little")
            if length == 0:
                return False
            position += 8 + length + length % 2
    return position <= size + 1  # the last byte to make it even may be missing
