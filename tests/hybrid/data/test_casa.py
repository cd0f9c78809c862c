"""CASA figures of paths worked out by hand, and what a frame rate makes of a beat."""

import numpy as np
import pytest

from hybrid.data.casa import average_path, casa, seen_frequency


def test_a_straight_path():
    path = np.stack([np.arange(11) * 3.0, np.arange(11) * 4.0], 1)
    figures = casa(path, rate=10)
    assert figures["vcl"] == figures["vsl"] == figures["vap"] == pytest.approx(50.0)
    assert figures["lin"] == figures["str"] == figures["wob"] == pytest.approx(1.0)
    assert figures["alh"] == pytest.approx(0.0, abs=1e-9) and figures["bcf"] == 0.0


def test_a_zigzag():
    """Steps of (1, +-2) at 10 a second, average over 3: the path crosses its average at every step."""
    path = np.stack([np.arange(21.0), np.tile([0.0, 2.0], 11)[:21]], 1)
    figures = casa(path, rate=10, window=0.3)
    assert figures["vcl"] == pytest.approx(10 * np.sqrt(5))
    assert figures["vsl"] == pytest.approx(10.0)
    # the average alternates between 4/3 and 2/3 and starts and ends at 0: twenty steps of (1, +-2/3) in two seconds
    assert figures["vap"] == pytest.approx(20 * np.hypot(1, 2 / 3) / 2)
    assert figures["lin"] == pytest.approx(1 / np.sqrt(5))
    assert figures["alh"] == pytest.approx(2 * 4 / 3)
    assert figures["bcf"] == pytest.approx(18 / 2)


def test_a_circle_ends_where_it_began():
    angle = np.linspace(0, 2 * np.pi, 65)
    figures = casa(10 * np.stack([np.cos(angle), np.sin(angle)], 1), rate=64)
    assert figures["vsl"] == pytest.approx(0.0, abs=1e-9) and figures["lin"] == pytest.approx(0.0, abs=1e-9)
    assert figures["vcl"] == pytest.approx(2 * np.pi * 10, rel=1e-3)


def test_no_movement_divides_by_nothing():
    assert set(casa(np.zeros((16, 2)), 16).values()) == {0.0}


def test_the_average_keeps_the_ends():
    path = np.random.default_rng(0).normal(size=(12, 2))
    average = average_path(path, 16, 5 / 16)
    np.testing.assert_allclose(average[[0, -1]], path[[0, -1]])
    np.testing.assert_allclose(average[5], path[3:8].mean(0))


def test_too_short_a_path_is_refused():
    with pytest.raises(ValueError, match="at least 3 positions"):
        casa(np.zeros((2, 2)), 16)


@pytest.mark.parametrize("true, seen", [(10, -6), (12, -4), (14, -2), (16, 0), (20, 4), (3, 3), (7.9, 7.9)])
def test_beats_alias_at_16_frames_a_second(true, seen):
    assert seen_frequency(true, 16) == pytest.approx(seen)


def test_a_sampled_beat_has_the_frequency_it_is_said_to_be_seen_at():
    time = np.arange(160) / 16
    spectrum = np.fft.fft(np.exp(2j * np.pi * 14 * time))
    assert np.fft.fftfreq(160, 1 / 16)[np.abs(spectrum).argmax()] == pytest.approx(seen_frequency(14, 16))
