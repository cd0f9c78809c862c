"""What else is in view: specks, round cells, other sperm, uneven light. All of it stands in the world, not the picture,
so that in a tracked clip it slides past."""

from dataclasses import dataclass

import numpy as np

from hybrid.simulator.body import Body, make_body
from hybrid.simulator.form import draw_form
from hybrid.simulator.motion import draw_beat
from hybrid.simulator.settings import Settings
from hybrid.simulator.swim import Swim, swim

SPECKS = 0.007
"""a um^2"""
TAIL_TILT = 0.05
"""standard deviation of a tail's slope out of the plane of focus"""
OTHERS = 0.5
"""other sperm a clip, mean"""


@dataclass(frozen=True)
class Scene:
    """`specks`: points (P, 2) in um, and their weights (2, P) in focus and out of it; `others`: cells and swims."""

    specks: tuple[np.ndarray, np.ndarray]
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
    specks = _specks(rng, rng.uniform(low, high, (rng.poisson(SPECKS * np.prod(high - low)), 2)))
    others = tuple(_other(rng, settings, camera_T2) for _ in range(min(3, rng.poisson(OTHERS))))
    wave = np.stack(
        [rng.normal(size=4) / 60, rng.normal(size=4) / 60, rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.002, 0.012, 4)],
        -1,
    )
    return Scene(specks, others, rng.normal(size=2) * 0.8, float(rng.choice([-1, 1]) * rng.uniform(3, 6)), wave)


def _specks(rng, centres_N2):
    """Debris at any depth: grains of 0.15 to 1 um, lumps and flakes of them, mostly dense, some clear, now and then a
    round cell of 3 to 4 um. Points (P, 2) and their weights in focus and out of it (2, P)."""
    number = len(centres_N2)
    round_cell = rng.random(number) < 0.012
    radius = np.where(round_cell, rng.uniform(2.8, 4.2, number), np.minimum(0.12 + rng.exponential(0.26, number), 4.5))
    lumps = np.where(round_cell, 1, rng.geometric(0.55, number))
    owner = np.arange(number).repeat(lumps)
    lump = np.arange(len(owner))
    size = radius[owner] / np.sqrt(lumps[owner]) * rng.uniform(0.6, 1.3, len(owner))
    place = rng.normal(size=(len(owner), 2)) * (radius * (lumps > 1))[owner, None]

    count = np.clip(size**2 * 60, 8, 1200).astype(int)
    lump, owner = lump.repeat(count), owner.repeat(count)
    points = rng.normal(size=(len(lump), 2)) * 0.7
    disc = round_cell[owner]
    points[disc] *= (np.sqrt(rng.random(disc.sum())) / np.linalg.norm(points[disc], axis=1))[:, None]
    stretch, turn = rng.uniform(0.35, 1, len(count)), rng.uniform(0, np.pi, len(count))
    points[:, 1] *= np.where(disc, 1, stretch[lump])
    c, s = np.cos(turn)[lump], np.sin(turn)[lump]
    points = np.stack([c * points[:, 0] - s * points[:, 1], s * points[:, 0] + c * points[:, 1]], -1)
    points = centres_N2[owner] + place[lump] + points * size[lump, None]

    phase = rng.choice([1.0, -0.5], number, p=[0.86, 0.14]) * rng.uniform(0.35, 1.1, number)
    weight = np.where(round_cell, 0.5, phase)[owner] * np.pi * size[lump] ** 2 / count[lump]
    blurred = rng.beta(0.5, 0.5, number)[owner]
    return points, np.stack([(1 - blurred) * weight, blurred * weight]).astype(np.float32)


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
    return make_body(form, beat.wave.length, 0.25, rng.normal() * TAIL_TILT), path, offset, bool(rng.random() < 0.6)
