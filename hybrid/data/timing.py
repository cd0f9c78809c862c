"""Which source frame is seen at which time: presentation times in, one frame for each wanted time out."""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, Self, TypeVar

REORDERED = 17
"""how many frames late a time may come: codecs show up to 16 frames before one that they decoded earlier"""

TIE = 1e-6
"""seconds within which two frames are equally near"""


class TimestampError(ValueError):
    """The times make no sense."""


class Timed(Protocol):
    """A named tuple with a time."""

    time: float

    def _replace(self, *, time: float) -> Self: ...


Frame = TypeVar("Frame", bound=Timed)


def in_order(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The same frames in the same order, their times sorted, without reading more than `REORDERED` frames ahead.

    A decoder gives frames as they are to be shown. What may be shuffled are the times: some containers keep none of
    presentation, and FFmpeg then guesses them from the order of decoding.
    """
    waiting: deque[Frame] = deque()
    times: list[float] = []
    latest = float("-inf")
    for number, frame in enumerate(frames):
        if frame.time < latest:
            raise TimestampError(f"its time stamps run backwards (frame {number} at {frame.time:.3f} s)")
        waiting.append(frame)
        heapq.heappush(times, frame.time)
        if len(waiting) > REORDERED:
            latest = heapq.heappop(times)
            yield waiting.popleft()._replace(time=latest)
    while waiting:
        yield waiting.popleft()._replace(time=heapq.heappop(times))


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
