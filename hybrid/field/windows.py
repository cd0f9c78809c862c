"""Where and when a track is cut out: windows of one clip's length, one after another, that keep wholly in the picture.

The border: a clip is of real pixels alone, so a window that would reach beyond the picture in any of its frames is not
taken; the next one is tried a frame of the clip later. With a fixed camera, the cell's box must stay in the window too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hybrid.data.clip import ClipSpec
from hybrid.data.tracking import TRACKING, smoothed
from hybrid.field.tracks import Segment, Track
from hybrid.field.video import FieldVideo

REASONS = ("too short", "jumped", "lost", "at the border")
"""why no window of a track is taken; of several, the first that explains it"""


@dataclass(frozen=True)
class Camera:
    """side: px of the window. kind: tracked, following the head smoothly; fixed, at the middle of the cell's way."""

    side: int
    kind: str
    clip: ClipSpec


@dataclass(frozen=True, eq=False)
class Window:
    """number: from 1 in its track. frames_T: the video's frames. corners_T2: left and top, px. path_T2: the boxes'
    centres in every frame of the video from the first to the last of these, px."""

    track: int
    number: int
    frames_T: np.ndarray
    corners_T2: np.ndarray
    path_T2: np.ndarray


def windows_of(track: Track, video: FieldVideo, camera: Camera) -> list[Window]:
    found = [window for segment in track.segments for window in _of_segment(track, segment, video, camera)]
    return [Window(track.number, n, w.frames_T, w.corners_T2, w.path_T2) for n, w in enumerate(found, 1)]


def why_none(track: Track, video: FieldVideo, camera: Camera) -> str:
    """Of REASONS, for a track without a window."""
    need = camera.clip.times[-1]
    if video.times_N[track.last] - video.times_N[track.first] < need:
        return "too short"
    if track.longest(video).seconds(video) < need:
        return "jumped" if track.jumps else "lost"
    return "at the border"


def nearest_frames(times_N: np.ndarray, wanted_T: np.ndarray) -> np.ndarray:
    """For each time the number of the nearest frame; of two equally near, the earlier."""
    after = np.searchsorted(times_N, wanted_T - 1e-6).clip(1, len(times_N) - 1)
    return after - (wanted_T - times_N[after - 1] <= times_N[after] - wanted_T + 1e-6)


def _of_segment(track: Track, segment: Segment, video: FieldVideo, camera: Camera) -> Iterator[Window]:
    steps = np.array(camera.clip.times)
    start, end = video.times_N[segment.first], video.times_N[segment.last]
    # Smoothing counts in frames; a camera's frames are evenly apart but for rounding.
    centre_T2 = smoothed(segment.path_T2, TRACKING / video.interval) if len(segment.path_T2) > 1 else segment.path_T2
    while start + steps[-1] <= end + 1e-6:
        frames_T = nearest_frames(video.times_N, start + steps)
        corners_T2 = _corners(centre_T2[frames_T - segment.first], camera)
        if _inside(corners_T2, segment, frames_T, video, camera):
            path_T2 = segment.path_T2[frames_T[0] - segment.first : frames_T[-1] - segment.first + 1]
            yield Window(track.number, 0, frames_T, corners_T2, path_T2)
            start += camera.clip.seconds
        else:
            start += 1 / camera.clip.frame_rate


def _corners(centre_T2: np.ndarray, camera: Camera) -> np.ndarray:
    if camera.kind == "fixed":
        centre_T2 = np.broadcast_to((centre_T2.min(axis=0) + centre_T2.max(axis=0)) / 2, centre_T2.shape)
    return np.round(centre_T2 - camera.side / 2).astype(int)


def _inside(corners_T2, segment: Segment, frames_T, video: FieldVideo, camera: Camera) -> bool:
    far_T2 = corners_T2 + camera.side
    if (corners_T2 < 0).any() or (far_T2 > (video.width, video.height)).any():
        return False
    place_T2, half_T2 = (values[frames_T - segment.first] for values in (segment.path_T2, segment.sides_T2 / 2))
    if camera.kind == "tracked":
        return True
    return bool((place_T2 - half_T2 >= corners_T2).all() and (place_T2 + half_T2 <= far_T2).all())
