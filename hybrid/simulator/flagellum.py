"""The flagellum's shape and the swimming that follows from it.

Body frame: origin at the head's centre, the cell looks along +x, the tail leaves the neck along -x. Lengths in um,
times in s, angles in rad, forces in fN. Arrays: T times, N tail points from neck to tip.

Swimming is by resistive-force theory: at zero Reynolds number the drag on head and tail sums to no force and no
torque, which at every instant is a linear system of three equations for the body's velocity. Gray and Hancock,
J Exp Biol 32 (1955) 802; for sperm, with the drag ratio used here, Friedrich et al., J Exp Biol 213 (2010) 1226.
"""

from dataclasses import dataclass

import numpy as np

VISCOSITY = 0.7
"""fN s / um^2, water at 37 degrees"""
DRAG_ALONG = 0.69
"""fN s / um^2, a length of flagellum moving along itself (Friedrich 2010)"""
DRAG_RATIO = 1.81
"""drag across over drag along (Friedrich 2010)"""


@dataclass(frozen=True)
class Waveform:
    """psi(s, t) = neck + bend(t) s + amplitude(t) alpha(s) [(1-b) sin(phase(t) - k s) + b sin(phase(t) + k s)].

    psi is the angle of the tail to the body's axis at arc length s: a wave of angle, so that the length never changes.
    alpha grows along the tail as in Dresdner and Katz, Biol Reprod 25 (1981) 921: 0.34 rad at the neck and 1.02 rad at
    45 um. `backward` = b is the part of the wave that runs from tip to neck; at b = 0.5 it stands and pushes nothing.
    """

    length: float
    wavelength: float
    neck_angle: float = 0.0
    backward: float = 0.0
    coil: float = 0.0
    """fixed curvature (1/um) of the last two thirds: a coiled or hairpin tail"""

    def arc(self, num_points: int) -> np.ndarray:
        """(N,) middles of N equal pieces."""
        return (np.arange(num_points) + 0.5) * (self.length / num_points)

    def angle_TN(self, phase_T, amplitude_T, bend_T, num_points: int) -> np.ndarray:
        """psi at each time and place; `amplitude_T` scales alpha, `bend_T` is a curvature in 1/um."""
        s_N = self.arc(num_points)
        return (
            self._fixed(s_N)
            + bend_T[:, None] * s_N
            + amplitude_T[:, None] * _alpha(s_N) * self._wave(phase_T, s_N, np.sin)
        )

    def angle_rate_TN(self, phase_T, phase_rate_T, amplitude_T, amplitude_rate_T, bend_rate_T, num_points: int):
        """d psi / dt, from the rates of its three drivers."""
        s_N = self.arc(num_points)
        from_phase = (amplitude_T * phase_rate_T)[:, None] * self._wave(phase_T, s_N, np.cos)
        from_amplitude = amplitude_rate_T[:, None] * self._wave(phase_T, s_N, np.sin)
        return bend_rate_T[:, None] * s_N + _alpha(s_N) * (from_phase + from_amplitude)

    def _fixed(self, s_N):
        return self.neck_angle + self.coil * np.maximum(0.0, s_N - self.length / 3)

    def _wave(self, phase_T, s_N, function):
        k = 2 * np.pi / self.wavelength
        forward = function(phase_T[:, None] - k * s_N)
        if not self.backward:
            return forward
        return (1 - self.backward) * forward + self.backward * function(phase_T[:, None] + k * s_N)


def _alpha(s_N):
    return 0.34 + 0.68 * s_N / 45.0


def tail_points(angle_TN: np.ndarray, length: float, neck_x: float) -> np.ndarray:
    """(T, N, 2) places of the pieces' middles in the body frame; the tail starts at (neck_x, 0)."""
    ds = length / angle_TN.shape[-1]
    tangent = -np.stack([np.cos(angle_TN), np.sin(angle_TN)], -1)
    points = np.cumsum(tangent, axis=-2)
    points -= 0.5 * tangent
    points *= ds
    points[..., 0] += neck_x
    return points


def tail_velocities(angle_TN: np.ndarray, rate_TN: np.ndarray, length: float) -> np.ndarray:
    """(T, N, 2) velocities of those places as the shape changes, in the body frame."""
    ds = length / angle_TN.shape[-1]
    turn = np.stack([np.sin(angle_TN) * rate_TN, -np.cos(angle_TN) * rate_TN], -1)
    velocity = np.cumsum(turn, axis=-2)
    velocity -= 0.5 * turn
    velocity *= ds
    return velocity


def head_drag(length: float, width: float) -> tuple[float, float, float]:
    """Drag of the head: along, across (fN s/um) and turning (fN s um).

    A prolate spheroid of these axes (Perrin 1934; Happel and Brenner, 1973, section 5-11), a sphere in the limit.
    """
    a, b = max(length, width) / 2, min(length, width) / 2
    if a / b < 1.001:
        return 6 * np.pi * VISCOSITY * a, 6 * np.pi * VISCOSITY * a, 8 * np.pi * VISCOSITY * a**3
    e = np.sqrt(1 - (b / a) ** 2)
    log = np.log((1 + e) / (1 - e))
    along = 16 * np.pi * VISCOSITY * a * e**3 / ((1 + e**2) * log - 2 * e)
    across = 32 * np.pi * VISCOSITY * a * e**3 / ((3 * e**2 - 1) * log + 2 * e)
    turning = 32 * np.pi / 3 * VISCOSITY * a**3 * e**3 * (2 - e**2) / ((1 + e**2) * log - 2 * e)
    return along, across, turning


def resistance(angle_TN: np.ndarray, points_TN2: np.ndarray, length: float, head: tuple[float, float, float]):
    """The (T, 3, 3) resistance matrices of the whole cell for (ux, uy, turning rate), and the (T, N, 2, 2) drag."""
    ds = length / angle_TN.shape[-1]
    c, s = np.cos(angle_TN), np.sin(angle_TN)
    drag_across = DRAG_ALONG * DRAG_RATIO
    excess = DRAG_ALONG - drag_across
    dxx, dxy, dyy = drag_across + excess * c * c, excess * c * s, drag_across + excess * s * s
    x, y = points_TN2[..., 0], points_TN2[..., 1]
    # a turn moves the point (x, y) along (-y, x)
    gx, gy = -dxx * y + dxy * x, -dxy * y + dyy * x
    entries = [dxx, dxy, gx, dxy, dyy, gy, gx, gy, -gx * y + gy * x]
    matrix = np.stack([e.sum(-1) for e in entries], -1).reshape(-1, 3, 3) * ds
    matrix += np.diag(head)
    return matrix, (dxx, dxy, dyy, gx, gy)


def body_velocity(angle_TN, rate_TN, length: float, head_length: float, head_width: float) -> np.ndarray:
    """(T, 3) velocity of the free cell in its own frame: ux, uy (um/s) and turning rate (rad/s)."""
    points = tail_points(angle_TN, length, -head_length / 2)
    velocity = tail_velocities(angle_TN, rate_TN, length)
    matrix, (dxx, dxy, dyy, gx, gy) = resistance(angle_TN, points, length, head_drag(head_length, head_width))
    vx, vy = velocity[..., 0], velocity[..., 1]
    push = np.stack([dxx * vx + dxy * vy, dxy * vx + dyy * vy, gx * vx + gy * vy], -1).sum(1)
    push *= length / angle_TN.shape[-1]
    return np.linalg.solve(matrix, -push[..., None])[..., 0]
