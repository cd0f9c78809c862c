"""The swimming of a flagellum against what is known of it at zero Reynolds number."""

import numpy as np
import pytest

from hybrid.data.casa import casa
from hybrid.simulator.flagellum import (
    DRAG_ALONG,
    DRAG_RATIO,
    VISCOSITY,
    Waveform,
    body_velocity,
    head_drag,
    resistance,
    tail_points,
    tail_velocities,
)
from hybrid.simulator.motion import Beat, draw_beat
from hybrid.simulator.swim import swim

HEAD = (4.2, 2.8)


def beat(**changes):
    values = dict(
        kind="rapid", family="plain", wave=Waveform(length=50, wavelength=38), frequency=12.0, amplitude=1.0, bend=0.0,
        roll_hz=0.0, roll_phase=0.0, phase=0.3,
    )  # fmt: skip
    return Beat(**(values | changes))


def path_after(seconds=1.0, **changes):
    return swim(beat(**changes), *HEAD, 0.0, seconds, 0.0)


def test_length_is_kept_whatever_the_beat():
    wave = Waveform(length=50, wavelength=30, neck_angle=0.4)
    angle = wave.angle_TN(np.linspace(0, 6, 20), np.full(20, 2.0), np.full(20, 0.05), 400)
    steps = np.linalg.norm(np.diff(tail_points(angle, 50, -2.0), axis=1), axis=-1)
    assert steps.sum(1).min() > 0.998 * 50 * 399 / 400
    assert steps.max() <= 50 / 400 + 1e-9


def test_tail_velocity_is_the_rate_of_its_places():
    wave, dt = Waveform(length=50, wavelength=38, backward=0.2), 1e-5
    time = np.arange(3) * dt
    phase, amplitude, bend = 70 * time, 1 + 3 * time, 0.02 - 0.5 * time
    angle = wave.angle_TN(phase, amplitude, bend, 60)
    rate = wave.angle_rate_TN(phase, np.full(3, 70.0), amplitude, np.full(3, 3.0), np.full(3, -0.5), 60)
    moved = (tail_points(angle, 50, -2.0)[2] - tail_points(angle, 50, -2.0)[0]) / (2 * dt)
    np.testing.assert_allclose(tail_velocities(angle, rate, 50)[1], moved, rtol=1e-5, atol=1e-4)


def test_resistance_is_symmetric_and_positive_definite():
    wave, phase = Waveform(length=50, wavelength=38), np.linspace(0, 6, 12)
    angle = wave.angle_TN(phase, np.full(12, 1.5), np.full(12, 0.03), 40)
    matrix, _ = resistance(angle, tail_points(angle, 50, -2.1), 50, head_drag(*HEAD))
    np.testing.assert_allclose(matrix, matrix.transpose(0, 2, 1), rtol=1e-12)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_resistance_of_a_straight_rod():
    matrix, _ = resistance(np.zeros((1, 400)), tail_points(np.zeros((1, 400)), 50, 0.0), 50, (0, 0, 0))
    along, across = DRAG_ALONG * 50, DRAG_ALONG * DRAG_RATIO * 50
    np.testing.assert_allclose(np.diag(matrix[0]), [along, across, across * 50**2 / 3], rtol=1e-5)


def test_drag_of_a_sphere_is_the_limit_of_the_spheroid():
    sphere = head_drag(3.0, 3.0)
    np.testing.assert_allclose(sphere, np.pi * VISCOSITY * np.array([6 * 1.5, 6 * 1.5, 8 * 1.5**3]), rtol=1e-12)
    np.testing.assert_allclose(head_drag(3.0, 2.98), sphere, rtol=0.02)


def test_nothing_beats_nothing_moves():
    still = path_after(frequency=0.0)
    assert np.abs(still.path_T2).max() == 0 and np.ptp(still.heading_T) == 0


def test_a_back_and_forth_beat_swims_nowhere():
    """The scallop theorem: a phase that rocks undoes what it did."""
    rocking = swim(beat(twitch=0.3, frequency=4.0), *HEAD, 0.0, 1.0, 0.0)
    net = np.linalg.norm(rocking.path_T2[-1] - rocking.path_T2[0])
    assert np.abs(rocking.path_T2).max() > 0.1
    assert net < 0.02 * np.abs(rocking.path_T2).max()


def test_a_symmetric_beat_swims_straight_and_head_first():
    whole = path_after(2.0, frequency=12.0)
    quarter = np.linalg.norm(np.diff(whole.path_T2[::256], axis=0), axis=1)
    heading = np.diff(whole.path_T2[::256], axis=0)
    turn = np.unwrap(np.arctan2(heading[:, 1], heading[:, 0]))
    assert np.ptp(turn) < 0.02
    np.testing.assert_allclose(quarter, quarter.mean(), rtol=0.02)
    # over whole beats the head's mean direction is the way it goes
    assert abs(whole.heading_T[: 512 * 2].mean() - turn.mean()) < 0.1


def test_speed_is_proportional_to_frequency():
    slow, fast = (np.linalg.norm(path_after(1.0, frequency=f).path_T2[-1]) for f in (6.0, 12.0))
    assert fast / slow == pytest.approx(2.0, rel=0.01)


def test_small_beats_swim_with_the_square_of_their_amplitude():
    small, double = (np.linalg.norm(path_after(1.0, amplitude=a).path_T2[-1]) for a in (0.05, 0.10))
    assert double / small == pytest.approx(4.0, rel=0.05)


def test_taylors_speed_of_a_long_headless_tail():
    """A small wave y = b sin(kx - wt) on a rod of drag ratio r swims at w b^2 k (r - 1) / 2 (Gray and Hancock 1955)."""
    length, wavelength, slope, omega = 400.0, 20.0, 0.05, 10.0
    phase = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    k, s = 2 * np.pi / wavelength, (np.arange(4000) + 0.5) * length / 4000
    angle = slope * np.sin(phase[:, None] - k * s)
    rate = omega * slope * np.cos(phase[:, None] - k * s)
    speed = body_velocity(angle, rate, length, 0.02, 0.01)[:, 0].mean()
    assert speed == pytest.approx(omega / k * slope**2 * (DRAG_RATIO - 1) / 2, rel=0.03)


def test_a_standing_wave_pushes_less():
    travelling = np.linalg.norm(path_after(1.0).path_T2[-1])
    standing = np.linalg.norm(path_after(1.0, wave=Waveform(50, 38, backward=0.5)).path_T2[-1])
    assert standing < 0.1 * travelling


def test_a_bent_beat_circles_with_about_twice_its_curvature():
    """Friedrich 2010: the path's curvature is about twice the flagellum's mean curvature."""
    bend = 0.006
    path = path_after(2.0, bend=bend, frequency=12.0)
    turn = path.heading_T[512 * 2] - path.heading_T[0]
    length = np.linalg.norm(np.diff(path.path_T2[:: 512 // 4], axis=0), axis=1).sum()
    assert 1.3 < abs(turn) / length / bend < 3


def test_rolling_makes_a_bent_beat_swim_straighter():
    still, rolling = (path_after(1.0, bend=0.035, roll_hz=hz) for hz in (0.0, 6.0))
    assert casa(rolling.path_T2[::8], 64)["str"] > 1.1 * casa(still.path_T2[::8], 64)["str"]


def test_halving_the_step_or_doubling_the_points_changes_little(monkeypatch):
    coarse = path_after(1.0, frequency=18.0, bend=0.01)
    monkeypatch.setattr("hybrid.simulator.swim.SOLVE_POINTS", 80)
    monkeypatch.setattr("hybrid.simulator.swim.STEP", 1 / 1024)
    fine = path_after(1.0, frequency=18.0, bend=0.01)
    error = np.linalg.norm(coarse.path_T2 - fine.path_T2[::2], axis=1).max()
    assert error < 0.03 * np.linalg.norm(fine.path_T2[-1])


def test_classes_swim_as_their_names_say():
    speed = {}
    for index in range(120):
        drawn = draw_beat(np.random.default_rng(index), 1.0, 0.0, 0.0, 0.0)
        figures = casa(swim(drawn, *HEAD, 0.0, 1.0, 0.0).path_T2[::8], 64)
        speed.setdefault(drawn.kind, []).append((figures["vap"], figures["vcl"], figures["vsl"]))
    vap, vcl, vsl = ({kind: np.median(np.array(v)[:, i]) for kind, v in speed.items()} for i in range(3))
    assert vap["rapid"] >= 25 and 5 <= vap["slow"] < 25
    assert vsl["non-progressive"] < 8 and vcl["hyperactivated"] >= 150
    assert vsl["immotile"] < 1 and vcl["dead"] == 0
