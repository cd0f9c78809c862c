"""What else is in view: specks, round cells, other sperm, uneven light. All of it stands in the world, not the picture,
so that in a tracked clip it slides past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hybrid.simulator.body import Body, make_body
from hybrid.simulator.form import draw_form
from hybrid.simulator.motion import draw_beat
from hybrid.simulator.settings import Settings
from hybrid.simulator.swim import Swim, swim

SPECKS = 0.007
"""a um^2"""
OTHERS = 0.5
"""other sperm a clip, mean"""


@dataclass(frozen=True)
class Scene:
    """`specks`: per layer (in focus, out of focus) points (P, 2) in um and weights; `others`: cells and their swims."""

    specks: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    others: tuple[tuple[Body, Swim, np.ndarray, bool], ...]
    """body, swim, offset (um) and whether it is out of focus"""
    drift: np.ndarray
    """um/s, of the fluid and all that floats in it"""
    far_defocus: float
    texture: np.ndarray
    """(4, 4) waves of uneven light: kx, ky (1/um), phase, height"""


def draw_scene(rng: np.random.Generator, settings: Settings, camera_T2: np.ndarray) -> Scene:
    """A scene for a camera that looks at these places (um)."""
    half = settings.view / 2 + 4
    low, high = camera_T2.min(0) - half, camera_T2.max(0) + half
    layers = []
    for share in (0.5, 0.5):
        number = rng.poisson(SPECKS * share * np.prod(high - low))
        layers.append(_specks(rng, rng.uniform(low, high, (number, 2))))
    others = tuple(_other(rng, settings, camera_T2) for _ in range(min(3, rng.poisson(OTHERS))))
    wave = np.stack(
        [rng.normal(size=4) / 60, rng.normal(size=4) / 60, rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.002, 0.012, 4)],
        -1,
    )
    return Scene(tuple(layers), others, rng.normal(size=2) * 0.8, float(rng.choice([-1, 1]) * rng.uniform(3, 6)), wave)


def _specks(rng, centres):
    """Debris of 0.15 to 1 um, mostly dense, some clear, now and then a round cell of 3 to 4 um."""
    clouds, weights = [np.zeros((0, 2))], [np.zeros(0)]
    for centre in centres:
        round_cell = rng.random() < 0.012
        radius = rng.uniform(2.8, 4.2) if round_cell else 0.15 + rng.exponential(0.22)
        radius = min(radius, 4.5)
        number = int(np.clip(radius**2 * 120, 12, 2500))
        points = rng.normal(size=(number, 2)) if not round_cell else _disc(rng, number)
        stretch = np.array([1.0, rng.uniform(0.6, 1.0)])
        clouds.append(centre + points * stretch * (radius if round_cell else 0.7 * radius))
        phase = 0.5 if round_cell else rng.choice([1.0, 0.7, -0.5], p=[0.6, 0.25, 0.15])
        weights.append(np.full(number, phase * np.pi * radius**2 / number))
    return np.concatenate(clouds), np.concatenate(weights)


def _disc(rng, number):
    angle, r = rng.uniform(0, 2 * np.pi, number), np.sqrt(rng.random(number))
    return np.stack([r * np.cos(angle), r * np.sin(angle)], -1)


def _other(rng, settings, camera_T2):
    """Another sperm, somewhere the camera comes by; not on top of the graded one."""
    form = draw_form(rng, rng.normal(size=4))
    beat = draw_beat(rng, form.tail_scale, form.neck_angle, form.coil, 0.0)
    heading = rng.uniform(0, 2 * np.pi)
    path = swim(beat, form.length, form.width, -0.05, settings.duration + 0.05, heading)
    place = camera_T2[rng.integers(len(camera_T2))]
    angle, distance = rng.uniform(0, 2 * np.pi), settings.view * rng.uniform(0.33, 0.55)
    offset = place + distance * np.array([np.cos(angle), np.sin(angle)])
    offset = offset - path.at(np.array([rng.uniform(0, settings.duration)]))[0][0]
    return make_body(form, beat.wave.length, 0.25), path, offset, bool(rng.random() < 0.6)
