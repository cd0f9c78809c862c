"""One cell's boxes over time: where its path is broken, what lies between its boxes, and how it swims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hybrid.data.casa import FIGURES, casa
from hybrid.field.video import FieldVideo

PAUSE = 2.5
"""median intervals from frame to frame: after so many without one, the camera had paused"""


@dataclass(frozen=True)
class Rules:
    """When a track is no longer one cell's for sure.

    max_speed: px/s. A step from box to box that is faster is a jump: the boxes are not of one cell, or the stage moved.
    max_gap: s. Over a shorter time without a box the cell is taken to go straight on; over a longer one it is lost.
    """

    max_speed: float
    max_gap: float


@dataclass(frozen=True, eq=False)
class Segment:
    """An unbroken part of a track, a position for every frame of the video from `first` on.

    path_T2: centres of the boxes, px. sides_T2: width and height. bridged: how many had no box, and lie on the straight
    line between their neighbours.
    """

    first: int
    path_T2: np.ndarray
    sides_T2: np.ndarray
    bridged: int

    @property
    def last(self) -> int:
        return self.first + len(self.path_T2) - 1

    def seconds(self, video: FieldVideo) -> float:
        return float(video.times_N[self.last] - video.times_N[self.first])


@dataclass(frozen=True, eq=False)
class Track:
    """number: from 1, by the first frame. identity: as the boxes have it. gaps, jumps: where it was broken."""

    number: int
    identity: str
    first: int
    last: int
    boxes: int
    segments: tuple[Segment, ...]
    gaps: int
    jumps: int

    def longest(self, video: FieldVideo) -> Segment:
        return max(self.segments, key=lambda segment: segment.seconds(video))


def tracks_of(boxes: pd.DataFrame, video: FieldVideo, rules: Rules) -> Iterator[Track]:
    """The tracks of all ids, in order of their first frames."""
    groups = boxes.groupby("id", sort=False).indices  # boxes are sorted by frame, and so are these
    table = boxes[["frame", "x", "y", "w", "h"]].to_numpy()
    for number, (identity, rows) in enumerate(groups.items(), 1):
        yield _track(number, str(identity), table[rows], video, rules)


def _track(number: int, identity: str, boxes_N5: np.ndarray, video: FieldVideo, rules: Rules) -> Track:
    frames = boxes_N5[:, 0].astype(int)
    step_s = np.diff(video.times_N[frames])
    fast = np.linalg.norm(np.diff(boxes_N5[:, 1:3], axis=0), axis=1) > rules.max_speed * step_s
    # Two boxes in neighbouring frames leave no gap, however slow the camera, unless it paused between them.
    long = (step_s > rules.max_gap) & ((np.diff(frames) > 1) | (step_s > PAUSE * video.interval))
    broken = np.flatnonzero(fast | long) + 1
    segments = [_segment(part, video) for part in np.split(boxes_N5, broken)]
    return Track(
        number,
        identity,
        int(frames[0]),
        int(frames[-1]),
        len(frames),
        tuple(segments),
        int(long.sum()),
        int(fast.sum()),
    )


def _segment(boxes_N5: np.ndarray, video: FieldVideo) -> Segment:
    frames = boxes_N5[:, 0].astype(int)
    every = np.arange(frames[0], frames[-1] + 1)
    times = video.times_N
    filled = np.stack([np.interp(times[every], times[frames], column) for column in boxes_N5[:, 1:].T], axis=1)
    return Segment(int(frames[0]), filled[:, :2], filled[:, 2:], len(every) - len(frames))


def figures(path_T2: np.ndarray, times_T: np.ndarray, um_per_px: float | None) -> dict[str, float]:
    """CASA figures of a path in px at these times, at the video's own mean rate there: um and um/s where the size of a
    pixel is known, else px and px/s. NaN for fewer than 3 positions."""
    if len(path_T2) < 3:
        return dict.fromkeys(FIGURES, float("nan"))
    even = np.linspace(times_T[0], times_T[-1], len(times_T))
    path_T2 = np.stack([np.interp(even, times_T, axis) for axis in path_T2.T], axis=1)
    return casa(path_T2 * (um_per_px or 1.0), (len(even) - 1) / (even[-1] - even[0]))
