"""The form of one cell: head, acrosome, vacuoles, chromatin, midpiece, tail; and its cloud of phase points.

Sizes after the WHO laboratory manual, 5th edition (2010), section 2.13: head 4.1 x 2.8 um, acrosome 40-70 % of the
head, at most two small vacuoles, midpiece about as long as the head, tail about 45 um.

Four independent normal scores make the form's quality; three of them are texture of a few pixels, the fourth the gross
shape. What is bad in one is not darker or lighter as a whole: the head's phase is brought to a mean of its own.
"""

from dataclasses import dataclass

import numpy as np

PARTS = {"vacuoles": 0.40, "acrosome": 0.15, "chromatin": 0.35, "shape": 0.10}
"""share of each score in the variance of the form's quality, in `standard`"""
DONOR_SHARE = 0.15
"""part of every score's variance that a donor's cells have in common"""
HEADS = ("normal", "tapered", "pyriform", "round", "amorphous", "pin")
TAILS = ("normal", "short", "coiled", "hairpin")


@dataclass(frozen=True)
class Signs:
    """What of a cell's form counts, and how large it shows; the defaults are those of `standard`."""

    shares: tuple[float, float, float, float] = tuple(PARTS.values())
    """of each score of PARTS in the variance of the form's quality"""
    vacuole: tuple[float, float] = (0.26, 0.30)
    """um, radius in the best cell, and how much larger it is in the worst"""
    grain: tuple[float, float] = (0.03, 0.72)
    """contrast of the chromatin in the best cell, and how much more it is in the worst"""
    grain_um: float = 1.3
    """wavelength of the chromatin's grain"""
    even_grain: bool = False
    """whether every head's grain has exactly its contrast; else it varies by what field a small head happens to get"""
    cap: tuple[float, float] = (0.66, 0.56)
    """how much lighter the acrosome is than the nucleus in the best cell, and how much less so in the worst"""
    tail: tuple[float, float] = (0.6, 1.15)
    """lowest and highest contrast of the tail"""
    stretch: float = 0.0
    """log of how much longer, and thinner, a head is for each standard deviation that its shape is worse"""


STANDARD_SIGNS = Signs()


@dataclass(frozen=True)
class Form:
    """Lengths in um. `scores`: the four of PARTS, standard normal, high is good."""

    scores: dict[str, float]
    head: str
    tail: str
    length: float
    width: float
    taper: float
    bumps: tuple[float, ...]
    acrosome: float
    """part of the head's length it covers"""
    acrosome_contrast: float
    vacuoles: tuple[tuple[float, float, float], ...]
    """(x, y, radius), in half lengths and half widths of the head and in um"""
    grain: float
    grain_seed: int
    midpiece_width: float
    droplet: float
    """radius of a droplet of residual cytoplasm, 0: none"""
    neck_angle: float
    tail_contrast: float
    """how well the tail shows: it lies more or less in the plane of focus"""
    tail_scale: float
    coil: float
    total: float
    """mean phase of the head, arbitrary units"""
    signs: Signs = STANDARD_SIGNS

    @property
    def quality(self) -> float:
        """Standard normal over cells and donors; high is good."""
        return float(
            sum(np.sqrt(share) * self.scores[name] for name, share in zip(PARTS, self.signs.shares, strict=True))
        )


def draw_form(rng: np.random.Generator, donor_scores: np.ndarray, signs: Signs = STANDARD_SIGNS) -> Form:
    """A cell of a donor whose cells have these four standard normal scores in common."""
    from scipy.special import ndtr  # here, since a finished data set does not need its fifth of a second

    own = rng.normal(size=len(PARTS))
    scores = dict(zip(PARTS, np.sqrt(1 - DONOR_SHARE) * own + np.sqrt(DONOR_SHARE) * donor_scores, strict=True))
    bad = {name: float(ndtr(-score)) for name, score in scores.items()}  # uniform, 1 is worst

    head, length, width, taper = _head(rng, bad["shape"])
    stretch = float(np.exp(-signs.stretch * scores["shape"]))
    tail, tail_scale, coil = _tail(rng, bad["shape"])
    bumpy = 0.02 + 0.05 * bad["shape"] + (0.05 if head == "amorphous" else 0.0)
    return Form(
        scores={name: float(score) for name, score in scores.items()},
        head=head,
        tail=tail,
        length=length * stretch,
        width=width / stretch,
        taper=taper,
        bumps=tuple(float(b) for b in rng.normal(size=6) * bumpy / np.array([1, 1, 2, 2, 3, 3])),
        # from a clear cap over 40-70 % of the head to a small one that hardly shows
        acrosome=float(np.clip(0.62 - 0.42 * bad["acrosome"] + rng.normal() * 0.03, 0.08, 0.7)),
        acrosome_contrast=float(signs.cap[0] - signs.cap[1] * bad["acrosome"]),
        vacuoles=_vacuoles(rng, bad["vacuoles"], signs.vacuole),
        grain=float(signs.grain[0] + signs.grain[1] * bad["chromatin"]),
        grain_seed=int(rng.integers(2**31)),
        midpiece_width=float(rng.uniform(0.55, 0.75)),
        droplet=float(rng.uniform(0.9, 1.5)) if rng.random() < 0.12 * bad["shape"] else 0.0,
        neck_angle=float(rng.choice([-1, 1]) * rng.uniform(0.3, 0.7)) if rng.random() < 0.12 * bad["shape"] else 0.0,
        tail_contrast=float(rng.uniform(*signs.tail)),
        tail_scale=tail_scale,
        coil=coil,
        total=float(rng.uniform(0.85, 1.15)),
        signs=signs,
    )


def _head(rng, bad: float) -> tuple[str, float, float, float]:
    """Class, length, width and taper (relative widening of the front)."""
    weights = np.array([1.2 - bad, 0.30 * bad, 0.25 * bad, 0.20 * bad, 0.35 * bad, 0.06 * bad**2])
    head = HEADS[rng.choice(len(HEADS), p=weights / weights.sum())]
    length, width, taper = rng.normal(4.3, 0.2), rng.normal(2.8, 0.13), rng.normal(0.05, 0.04)
    if head == "tapered":
        length, width, taper = length * rng.uniform(1.1, 1.3), width * rng.uniform(0.72, 0.85), taper + 0.1
    elif head == "pyriform":
        length, taper = length * rng.uniform(1.0, 1.15), rng.uniform(0.3, 0.45)
    elif head == "round":
        length = width = rng.normal(3.5, 0.2)
    elif head == "amorphous":
        length, width, taper = length * rng.uniform(0.85, 1.15), width * rng.uniform(0.9, 1.2), rng.uniform(-0.3, 0.3)
    elif head == "pin":
        length, width = rng.uniform(1.8, 2.4), rng.uniform(1.3, 1.7)
    return head, float(max(length, width)), float(min(length, width)), float(taper)


def _tail(rng, bad: float) -> tuple[str, float, float]:
    """Class, length factor and curvature (1/um) of the far part."""
    weights = np.array([1 - 0.1 * bad**2, 0.04 * bad**2, 0.03 * bad**2, 0.03 * bad**2])
    tail = TAILS[rng.choice(len(TAILS), p=weights / weights.sum())]
    side = rng.choice([-1, 1])
    if tail == "short":
        return tail, float(rng.uniform(0.45, 0.7)), 0.0
    if tail == "coiled":
        return tail, 1.0, float(side * rng.uniform(0.22, 0.34))
    if tail == "hairpin":
        return tail, 1.0, float(side * rng.uniform(0.09, 0.13))
    return tail, 1.0, 0.0


def _vacuoles(rng, bad: float, size: tuple[float, float]) -> tuple[tuple[float, float, float], ...]:
    """None to six; small ones may be normal, many and large ones are not."""
    number = int(np.clip(np.floor(bad * 6 + rng.uniform(0, 1)), 0, 6))
    radius = size[0] + size[1] * bad
    places = []
    for _ in range(number):
        r, angle = np.sqrt(rng.random()) * 0.68, rng.uniform(0, 2 * np.pi)
        places.append((float(r * np.cos(angle)), float(r * np.sin(angle)), float(radius * rng.uniform(0.85, 1.15))))
    return tuple(places)


def head_cloud(form: Form, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """(P, 2) points of the head in the body frame, um, and their (P,) phase; `spacing` um apart."""
    half_length, half_width = form.length / 2, form.width / 2
    reach = 1.4
    x, y = np.meshgrid(
        np.arange(-reach * half_length, reach * half_length, spacing),
        np.arange(-reach * half_width, reach * half_width, spacing),
        indexing="ij",
    )
    u, v = x.ravel() / half_length, y.ravel() / half_width
    v = v / (1 + form.taper * u)
    angle = np.arctan2(v, u)
    waves = np.stack([wave(k * angle) for k in (2, 3, 5) for wave in (np.cos, np.sin)])
    edge = 1 + np.tensordot(np.array(form.bumps), waves, 1)
    r = np.hypot(u, v) / edge
    inside = r < 1
    points = np.stack([x.ravel(), y.ravel()], -1)[inside]
    u, v, r = u[inside], v[inside], r[inside]
    phase = 0.55 + 0.45 * np.sqrt(1 - r**2)
    # the acrosome is a clear cap, brighter than the nucleus behind it
    border = 1 - 2 * form.acrosome
    phase *= 1 - form.acrosome_contrast * _soft((u - border) / 0.12)
    for vx, vy, radius in form.vacuoles:
        distance = np.hypot((u - vx) * half_length, (v - vy) * half_width)
        phase *= 1 - 0.85 * _soft((radius - distance) / 0.08)
    grain = _grain(form.grain_seed, points, form.signs.grain_um)
    phase *= 1 + form.grain * (grain / grain.std() if form.signs.even_grain else grain)
    phase = np.maximum(phase, 0.0)
    return points, phase * (form.total / phase.mean())


def _grain(seed: int, points_P2: np.ndarray, wavelength: float) -> np.ndarray:
    """A random field of about this wavelength (um), zero mean, unit variance: condensed and loose chromatin."""
    rng = np.random.default_rng(seed)
    k = 2 * np.pi / wavelength * np.sqrt(rng.uniform(0.5, 1.5, 24))
    direction, offset = rng.uniform(0, 2 * np.pi, (2, 24))
    wave = np.stack([k * np.cos(direction), k * np.sin(direction)])
    field = np.cos(points_P2 @ wave + offset).sum(1) / np.sqrt(12)
    return field - field.mean()


def _soft(x):
    return 1 / (1 + np.exp(-np.clip(4 * x, -40, 40)))
