"""The path, heading and tail of a swimming cell over time."""

from dataclasses import dataclass

import numpy as np

from hybrid.simulator.events import NO_EVENT, Event, drive, extra_bend
from hybrid.simulator.flagellum import body_velocity, tail_points
from hybrid.simulator.motion import Beat

STEP = 1 / 512
"""s between the instants at which the equations of motion are solved; a beat of 18 Hz has 28"""
SOLVE_POINTS = 40
FLATTENING = 0.35
"""part of the beat's variance in the image plane that is lost when the cell lies on its side"""
BROWNIAN = (0.03, 0.012)
"""um^2/s and rad^2/s: diffusion of a cell that does not swim"""


@dataclass(frozen=True)
class Swim:
    """`path_T2` (um), `heading_T` (rad) and the tail's drivers at `time_T` (s)."""

    time_T: np.ndarray
    path_T2: np.ndarray
    heading_T: np.ndarray
    phase_T: np.ndarray
    amplitude_T: np.ndarray
    bend_T: np.ndarray
    roll_T: np.ndarray
    beat: Beat
    neck_x: float

    def at(self, time: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Path (.., 2), heading and roll at any times within the swim."""
        x, y, heading, roll = (
            np.interp(time, self.time_T, v)
            for v in (self.path_T2[:, 0], self.path_T2[:, 1], self.heading_T, self.roll_T)
        )
        return np.stack([x, y], -1), heading, roll

    def tail_at(self, time: np.ndarray, num_points: int) -> np.ndarray:
        """(T, N, 2) points of the tail at these times (T,), in the body frame, um."""
        phase, amplitude, bend = (
            np.interp(time, self.time_T, v) for v in (self.phase_T, self.amplitude_T, self.bend_T)
        )
        wave = self.beat.wave
        return tail_points(wave.angle_TN(phase, amplitude, bend, num_points), wave.length, self.neck_x)


def swim(
    beat: Beat,
    head_length: float,
    head_width: float,
    start: float,
    end: float,
    heading: float,
    event: Event = NO_EVENT,
    rng: np.random.Generator | None = None,
) -> Swim:
    """Swim from `start` to `end` (s) with this heading at time 0 and the head's centre at the origin then.

    rng: adds Brownian motion; None leaves it out.
    """
    time = np.arange(int(np.floor(start / STEP)), int(np.ceil(end / STEP)) + 1) * STEP
    zero = int(np.argmin(np.abs(time)))
    factor = drive(event, time)
    if beat.twitch:
        rate = beat.twitch * 2 * np.pi * beat.frequency * np.cos(2 * np.pi * beat.frequency * time)
        amplitude = np.full_like(time, beat.amplitude)
    else:
        rate = 2 * np.pi * beat.frequency * factor
        # a tail that stops beating keeps some of its shape
        amplitude = beat.amplitude * (0.45 + 0.55 * np.minimum(factor, 1.15))
    roll_rate = 2 * np.pi * beat.roll_hz * np.minimum(factor, 1.0)
    phase = beat.phase + _integral(rate, zero)
    roll = beat.roll_phase + _integral(roll_rate, zero)
    # the mean bend turns with the cell; rolled on its side the beat looks flatter
    bend = beat.bend * (np.cos(roll) if beat.roll_hz else 1.0) + extra_bend(event, time)
    amplitude = amplitude * np.sqrt(1 - FLATTENING * np.sin(roll) ** 2)

    angle = beat.wave.angle_TN(phase, amplitude, bend, SOLVE_POINTS)
    angle_rate = beat.wave.angle_rate_TN(
        phase, rate, amplitude, np.gradient(amplitude, STEP), np.gradient(bend, STEP), SOLVE_POINTS
    )
    velocity = body_velocity(angle, angle_rate, beat.wave.length, head_length, head_width)
    turn = velocity[:, 2]
    noise = np.zeros((len(time), 3))
    if rng is not None:
        scale = np.sqrt(2 * np.array([BROWNIAN[0], BROWNIAN[0], BROWNIAN[1]]) / STEP)
        noise = rng.normal(size=(len(time), 3)) * scale
    theta = heading + _integral(turn + noise[:, 2], zero)
    c, s = np.cos(theta), np.sin(theta)
    dx = c * velocity[:, 0] - s * velocity[:, 1] + noise[:, 0]
    dy = s * velocity[:, 0] + c * velocity[:, 1] + noise[:, 1]
    path = np.stack([_integral(dx, zero), _integral(dy, zero)], -1)
    return Swim(time, path, theta, phase, amplitude, bend, roll, beat, -head_length / 2)


def _integral(rate_T: np.ndarray, zero: int) -> np.ndarray:
    """Trapezoidal integral that vanishes at index `zero`."""
    total = np.concatenate([[0.0], np.cumsum(0.5 * (rate_T[1:] + rate_T[:-1]))]) * STEP
    return total - total[zero]
