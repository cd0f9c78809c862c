"""Where the phase of a cell is at any instant: head, midpiece and tail as clouds of points in the world."""

from dataclasses import dataclass

import numpy as np

from hybrid.simulator.form import Form, head_cloud
from hybrid.simulator.swim import FLATTENING, Swim

PARTS = ("head", "midpiece", "tail")
HEAD_DEPTH = 0.5
"""part of the head's width that is lost, squared, when it lies on its side"""
FOCAL_DEPTH = 5.0
"""um out of focus at which nothing sharp is left"""
TAIL_SPACING = 0.3
"""um between points along the tail"""


@dataclass(frozen=True)
class Body:
    """The clouds of one cell: fixed points of the head, and what each point of the tail weighs."""

    head_P2: np.ndarray
    head_weight_P: np.ndarray
    mid_arc: np.ndarray
    mid_offset: np.ndarray
    mid_weight: np.ndarray
    tail_weight_N: np.ndarray
    tail_from: int
    tilt: float
    """slope of the tail out of the plane of focus"""

    def points(self, swim: Swim, time_T: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """For each of PARTS the world points (T, P, 2) in um, and their weights in phase x um^2.

        The tail's weights are (2, T, P): what of each point is seen in focus, and what out of it.
        """
        centre, heading, roll = swim.at(time_T)
        tail = swim.tail_at(time_T, len(self.tail_weight_N)).astype(np.float32)
        flat = np.sqrt(1 - HEAD_DEPTH * np.sin(roll) ** 2)
        head = self.head_P2 * np.stack([np.ones_like(flat), flat], -1)[:, None].astype(np.float32)
        near = tail[:, : self.mid_arc.max() + 2]
        along = np.gradient(near, axis=1)
        along /= np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
        across = np.stack([-along[..., 1], along[..., 0]], -1)
        mid = near[:, self.mid_arc] + across[:, self.mid_arc] * self.mid_offset[:, None]
        rest = tail[:, self.tail_from :]
        clouds = {
            "head": (head, self.head_weight_P),
            "midpiece": (mid, self.mid_weight),
            "tail": (rest, self._focused(rest, roll)),
        }
        return {part: (_place(p, centre, heading), weight) for part, (p, weight) in clouds.items()}

    def _focused(self, tail_TN2, roll_T):
        """(2, T, N) weights in and out of focus: the tail beats out of the picture's plane as the cell lies on its
        side, and leaves it steadily by its tilt. Human tails do leave it in thin media (Smith et al., Cell Motil
        Cytoskeleton 66 (2009) 220)."""
        side = np.sqrt(FLATTENING) * np.sin(roll_T) / np.sqrt(1 - FLATTENING * np.sin(roll_T) ** 2)
        depth = np.abs(tail_TN2[..., 1] * side[:, None] - self.tilt * tail_TN2[..., 0])
        blurred = np.minimum(depth / FOCAL_DEPTH, 1).astype(np.float32)
        weight = self.tail_weight_N[self.tail_from :]
        return np.stack([(1 - blurred) * weight, blurred * weight])


def make_body(form: Form, tail_length: float, spacing: float, tilt: float = 0.0) -> Body:
    """The body of a cell of this form; `spacing` um between points of the head; `tilt` of the tail out of focus."""
    head, phase = head_cloud(form, spacing)
    number = max(8, int(round(tail_length / TAIL_SPACING)))
    ds = tail_length / number
    s = (np.arange(number) + 0.5) * ds
    # the tail narrows from the annulus to its end piece; below the resolution its width shows as phase
    tail_weight = 0.44 * form.tail_contrast * (0.62 - 0.46 * s / tail_length) * ds
    end = int(np.searchsorted(s, 4.0 + 0.1 * form.length))
    lanes = np.linspace(-0.5, 0.5, 4) * form.midpiece_width
    arc, offset = (a.ravel() for a in np.meshgrid(np.arange(end), lanes, indexing="ij"))
    weight = np.full(arc.shape, 0.85 * form.midpiece_width * ds / len(lanes))
    if form.droplet:
        arc, offset, weight = _with_droplet(form.droplet, s, ds, arc, offset, weight)
    head, phase, offset, weight, tail_weight = (
        a.astype(np.float32) for a in (head, phase * spacing**2, offset, weight, tail_weight)
    )
    return Body(head, phase, arc, offset, weight, tail_weight, end, tilt)


def _with_droplet(radius, s, ds, arc, offset, weight):
    """Residual cytoplasm around the neck, as more points of the midpiece."""
    near = np.flatnonzero(np.abs(s - 1.0) < radius)
    lanes = np.arange(-radius, radius, 0.2)
    more_arc, more_offset = (a.ravel() for a in np.meshgrid(near, lanes, indexing="ij"))
    inside = (s[more_arc] - 1.0) ** 2 + more_offset**2 < radius**2
    more = np.full(inside.sum(), 0.35 * ds * 0.2)
    return (
        np.concatenate([arc, more_arc[inside]]),
        np.concatenate([offset, more_offset[inside]]),
        np.concatenate([weight, more]),
    )


def _place(points, centre_T2, heading_T):
    """Points (T, P, 2) of the body frame in the world."""
    c, s = np.cos(heading_T), np.sin(heading_T)
    turn_T22 = np.array([[c, s], [-s, c]], np.float32).transpose(2, 0, 1)
    return points @ turn_T22 + centre_T2[:, None].astype(np.float32)
