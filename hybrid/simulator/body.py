"""Where the phase of a cell is at any instant: head, midpiece and tail as clouds of points in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hybrid.simulator.form import Form, head_cloud
from hybrid.simulator.swim import Swim

PARTS = ("head", "midpiece", "tail")
HEAD_DEPTH = 0.5
"""part of the head's width that is lost, squared, when it lies on its side"""
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

    def points(self, swim: Swim, time_T: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """For each of PARTS the world points (T, P, 2) in um, and their weights in phase x um^2."""
        centre, heading, roll = swim.at(time_T)
        tail = swim.tail_at(time_T, len(self.tail_weight_N))
        flat = np.sqrt(1 - HEAD_DEPTH * np.sin(roll) ** 2)
        head = self.head_P2 * np.stack([np.ones_like(flat), flat], -1)[:, None]
        along = np.gradient(tail, axis=1)
        along /= np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
        across = np.stack([-along[..., 1], along[..., 0]], -1)
        mid = tail[:, self.mid_arc] + across[:, self.mid_arc] * self.mid_offset[:, None]
        clouds = {
            "head": (head, self.head_weight_P),
            "midpiece": (mid, self.mid_weight),
            "tail": (tail[:, self.tail_from :], self.tail_weight_N[self.tail_from :]),
        }
        return {part: (_place(p, centre, heading), weight) for part, (p, weight) in clouds.items()}


def make_body(form: Form, tail_length: float, spacing: float) -> Body:
    """The body of a cell of this form; `spacing` um between points of the head."""
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
    return Body(head, phase * spacing**2, arc, offset, weight, tail_weight, end)


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
    c, s = np.cos(heading_T)[:, None], np.sin(heading_T)[:, None]
    x, y = points[..., 0], points[..., 1]
    return np.stack([c * x - s * y + centre_T2[:, :1], s * x + c * y + centre_T2[:, 1:]], -1)
