"""What changes during a clip: events, each with a good and a bad twin that differ only in how two moments relate.

kind     good (+1)                             bad (-1)
turns    two bends of the tail, to opposite    two bends to the same side
         sides: the course is recovered
pause    stops, goes on with its heading       stops, goes on with another heading
pace     starts weak, ends strong              starts strong, ends weak
"""

from dataclasses import dataclass

import numpy as np

from hybrid.simulator.motion import Beat

KINDS = ("turns", "pause", "pace")


@dataclass(frozen=True)
class Event:
    """kind: one of KINDS, 'relation' (two sharp bends, of the lag presets) or 'none'. first, second: s; width: s."""

    kind: str
    sign: int
    """+1 good, -1 bad, 0 no event"""
    first: float = 0.0
    second: float = 0.0
    width: float = 0.0
    side: int = 1
    """of the first bend"""
    strength: float = 1.0
    turned: bool = False
    """of a pause: it begins with one turn and ends with another"""

    @property
    def second_side(self) -> int:
        return -self.side * self.sign


NO_EVENT = Event("none", 0)

PROGRESSIVE = ("rapid", "slow", "hyperactivated")
"""classes of motion that have a course to keep or to lose"""


def draw_event(rng: np.random.Generator, duration: float, beat: Beat) -> Event:
    """An event of a moving cell in a clip of this many seconds; good and bad are equally likely whatever the kind."""
    if not beat.motile:
        return NO_EVENT
    kind, sign, side = KINDS[rng.integers(len(KINDS))], int(rng.choice([-1, 1])), int(rng.choice([-1, 1]))
    strength = float(rng.uniform(0.8, 1.2))
    if kind == "turns":
        first, second = duration * rng.uniform(0.15, 0.3), duration * rng.uniform(0.62, 0.8)
        return Event(kind, sign, float(first), float(second), 0.07 * duration, side, strength)
    if kind == "pause":
        first = duration * rng.uniform(0.3, 0.42)
        return Event(
            kind, sign, float(first), float(first + duration * rng.uniform(0.22, 0.32)), 0.06 * duration, side, strength
        )
    return Event(kind, sign, duration / 2, duration / 2, 0.2 * duration, side, strength)


@dataclass(frozen=True)
class PlainEvents:
    """Events of `clinic`, of cells that get ahead: as by `draw_event`, but as large in slow cells as in fast ones.

    Every kind is good or bad by one relation of the clip's beginning and its end. Turns and a pause: whether the cell
    goes on with the heading it had. Pace: whether it is faster at the end.
    """

    turn: float
    """1/um, mean bend of the tail for a turn at 1 Hz and an amplitude of 1; 0.35 turns cells that swim by about 75
    degrees, fitted once"""
    pace: float
    """strength of a change of pace"""

    def __call__(self, rng: np.random.Generator, duration: float, beat: Beat) -> Event:
        """An event of a cell with this beat in a clip of this many seconds."""
        if beat.kind not in PROGRESSIVE:
            return NO_EVENT
        kind, sign, side = KINDS[rng.integers(len(KINDS))], int(rng.choice([-1, 1])), int(rng.choice([-1, 1]))
        size = float(rng.uniform(0.85, 1.15))
        if kind == "pace":
            return Event(kind, sign, duration / 2, duration / 2, 0.12 * duration, side, self.pace * size)
        strength = size * self.turn * beat.frequency**-0.65 * beat.amplitude**-1.42 / 0.075
        if kind == "turns":
            first, second = duration * rng.uniform(0.22, 0.32), duration * rng.uniform(0.58, 0.68)
            return Event(kind, sign, float(first), float(second), 0.07 * duration, side, strength)
        first = duration * rng.uniform(0.32, 0.38)
        second = first + duration * rng.uniform(0.2, 0.26)
        return Event(kind, sign, float(first), float(second), 0.045 * duration, side, strength, turned=True)


def draw_relation(rng: np.random.Generator, num_frames: int, frame_rate: float, lag: int) -> Event:
    """Two sharp bends `lag` frames apart, to the same side (bad) or to opposite sides (good).

    Each is over before the next frame, so that no frame and neither half of the clip shows both.
    """
    first = int(rng.integers(1, num_frames - 1 - lag))
    sign, side = int(rng.choice([-1, 1])), int(rng.choice([-1, 1]))
    return Event("relation", sign, first / frame_rate, (first + lag) / frame_rate, 0.3 / frame_rate, side, 1.0)


def drive(event: Event, time_T: np.ndarray) -> np.ndarray:
    """(T,) factor on frequency and amplitude of the beat."""
    if event.kind == "pause":
        up = _step((time_T - event.first) / event.width)
        down = _step((time_T - event.second) / event.width)
        return 1 - 0.97 * (up - down)
    if event.kind == "pace":
        ramp = np.tanh((time_T - event.first) / event.width)
        return 1 + 0.55 * event.strength * event.sign * ramp
    return np.ones_like(time_T)


def extra_bend(event: Event, time_T: np.ndarray) -> np.ndarray:
    """(T,) curvature added to the tail's mean, 1/um."""
    if event.turned:
        # before the beat stops and after it is back
        early, late = event.first - 2 * event.width, event.second + 2 * event.width
        return _two_bends(event, time_T, 0.075 * event.strength, early, late, 1.5 * event.width)
    if event.kind in ("turns", "relation"):
        height = 0.075 * event.strength if event.kind == "turns" else 0.06
        return _two_bends(event, time_T, height, event.first, event.second, event.width)
    if event.kind == "pause" and event.sign < 0:
        return 0.085 * event.strength * event.side * _bump(time_T, event.second + event.width, 1.6 * event.width)
    return np.zeros_like(time_T)


def _two_bends(event, time_T, height, first, second, width):
    return height * (event.side * _bump(time_T, first, width) + event.second_side * _bump(time_T, second, width))


def _step(x):
    return 0.5 * (1 + np.tanh(2 * x))


def _bump(time_T, centre, width):
    return np.exp(-0.5 * ((time_T - centre) / width) ** 2)
