"""Which source frame is taken for which time."""

from typing import NamedTuple

import numpy as np
import pytest

from hybrid.data.timing import REORDERED, TimestampError, in_order, nearest


class Stamp(NamedTuple):
    time: float


def stamps(*times):
    return [Stamp(time) for time in times]


def taken_times(times, wanted):
    return [frame.time for frame in nearest(iter(stamps(*times)), wanted)]


@pytest.mark.parametrize("rate", [7.5, 16, 24, 25, 29.97, 30, 59.94, 120])
@pytest.mark.parametrize("start", [0.0, -0.3, 12.25])
def test_nearest_is_what_a_search_over_all_frames_finds(rate, start):
    times = start + np.arange(int(2 * rate)) / rate
    wanted = np.arange(16) / 16
    distance = np.abs(times[None] - start - wanted[:, None])
    first_nearest = (distance <= distance.min(axis=1, keepdims=True) + 1e-6).argmax(axis=1)
    np.testing.assert_allclose(taken_times(times, wanted), times[first_nearest])


def test_of_two_equally_near_frames_the_earlier():
    assert taken_times([0, 1, 2], [0, 0.5, 1.5]) == [0, 0, 1]


def test_past_the_end_the_last_frame():
    assert taken_times([0, 1], [0, 1, 2, 3]) == [0, 1, 1, 1]


def test_no_frames():
    assert nearest(iter([]), [0, 1]) == []


def test_reads_no_further_than_needed():
    source = iter(stamps(*range(100)))
    nearest(source, [0, 1, 2])
    assert next(source).time == 3


def test_irregular_times():
    assert taken_times([5.0, 5.1, 5.9, 6.0], [0, 0.25, 0.5, 0.75, 1.0]) == [5.0, 5.1, 5.1, 5.9, 6.0]
    assert taken_times([5.0, 5.1, 5.9, 6.0], [0, 0.51]) == [5.0, 5.9]


class Numbered(NamedTuple):
    time: float
    number: int


def test_shuffled_times_are_sorted_and_frames_stay():
    """As FFmpeg guesses the times of an AVI with B-frames."""
    times = [1, 3, 2, 4, 6, 5, 7, 9, 10, 8]
    frames = list(in_order(Numbered(time, number) for number, time in enumerate(times)))
    assert [frame.time for frame in frames] == sorted(times)
    assert [frame.number for frame in frames] == list(range(10))


def test_sixteen_frames_before_one_that_was_decoded_earlier():
    times = [0, *range(2, 18), 1, *range(19, 35), 18]
    assert [frame.time for frame in in_order(stamps(*times))] == sorted(times)


def test_running_backwards_beyond_reach_is_an_error():
    times = [*range(10, 10 + REORDERED + 2), 0]
    with pytest.raises(TimestampError, match=rf"run backwards \(frame {REORDERED + 2} at 0.000 s\)"):
        list(in_order(stamps(*times)))
