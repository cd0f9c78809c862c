"""Which source frame is seen at which time: presentation times in, one frame for each wanted time out."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

REORDERED = 4
"""how many frames late a frame may come: some containers give times in decoding order"""

TIE = 1e-6
"""seconds within which two frames are equally near"""


class TimestampError(ValueError):
    """The times make no sense."""


class Timed(Protocol):
    time: float


Frame = TypeVar("Frame", bound=Timed)


def in_order(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The frames sorted by time, without reading more than `REORDERED` frames ahead."""
    waiting: list[tuple[float, int, Frame]] = []
    latest = float("-inf")
    for number, frame in enumerate(frames):
        if frame.time < latest:
            raise TimestampError(f"its time stamps run backwards (frame {number} at {frame.time:.3f} s)")
        heapq.heappush(waiting, (frame.time, number, frame))
        if len(waiting) > REORDERED:
            latest, _, frame = heapq.heappop(waiting)
            yield frame
    while waiting:
        yield heapq.heappop(waiting)[2]


def nearest(frames: Iterable[Frame], wanted: Sequence[float]) -> list[Frame]:
    """For each wanted time the nearest frame; empty where there are no frames.

    frames: in order of time; read no further than needed. wanted: ascending seconds after the first frame.
    Of two frames equally near, the earlier; past the last frame, the last.
    """
    taken: list[Frame] = []
    start, previous = None, None
    for frame in frames:
        start = frame.time if start is None else start
        while previous is not None and len(taken) < len(wanted) and start + wanted[len(taken)] <= frame.time:
            moment = start + wanted[len(taken)]
            later_is_nearer = frame.time - moment < moment - previous.time - TIE
            taken.append(frame if later_is_nearer else previous)
        previous = frame
        if len(taken) == len(wanted):
            return taken
    return taken + [previous] * (len(wanted) - len(taken)) if previous is not None else []
