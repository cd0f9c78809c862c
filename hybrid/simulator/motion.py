"""How a cell beats: classes of motion as regions of a few physical parameters.

The tail's shape is drawn first (`FAMILIES`), the class second, so that what one frame shows (amplitude, wavelength,
curvature) says nothing of how well the cell swims. A curved tail swims straight when the cell rolls and in circles
when it does not; a dead cell has stopped in the middle of just such a beat.
"""

from dataclasses import dataclass

import numpy as np

from hybrid.simulator.flagellum import Waveform

CLASSES = ("rapid", "slow", "non-progressive", "hyperactivated", "circling", "immotile", "dead")
MOTILE = CLASSES[:5]

Families = dict[str, tuple[float, dict[str, float]]]
FAMILIES: Families = {
    "plain": (0.62, {"rapid": 0.42, "slow": 0.22, "non-progressive": 0.12, "immotile": 0.12, "dead": 0.12}),
    "curved": (
        0.22,
        {"rapid": 0.31, "slow": 0.14, "circling": 0.28, "non-progressive": 0.08, "immotile": 0.09, "dead": 0.09},
    ),
    "wild": (0.16, {"hyperactivated": 0.50, "slow": 0.20, "non-progressive": 0.06, "immotile": 0.12, "dead": 0.12}),
}
"""family of tail shapes: its share, and the classes it comes in"""
CLINIC_FAMILIES: Families = {
    "plain": (0.56, {"rapid": 0.91, "slow": 0.07, "immotile": 0.01, "dead": 0.01}),
    "curved": (0.10, {"rapid": 0.60, "slow": 0.20, "circling": 0.20}),
    "wild": (0.12, {"hyperactivated": 0.90, "slow": 0.10}),
    "weak": (0.13, {"rapid": 0.12, "slow": 0.56, "non-progressive": 0.08, "immotile": 0.12, "dead": 0.12}),
    "curled": (0.09, {"immotile": 0.50, "dead": 0.50}),
}
"""of `clinic`: fewer cells that cannot show an event, or whose circles hide one; a weak tail mostly swims badly"""

VIGOUR = {
    "rapid": 1.0,
    "hyperactivated": 0.5,
    "circling": 0.3,
    "slow": 0.0,
    "non-progressive": -0.5,
    "immotile": -1.0,
    "dead": -1.0,
}
"""how much likelier a class becomes in a donor of good motility, log odds a standard deviation"""


@dataclass(frozen=True)
class Beat:
    """What drives a tail. `wave` is its shape; frequencies in Hz, curvature in 1/um, angles in rad."""

    kind: str
    family: str
    wave: Waveform
    frequency: float
    amplitude: float
    bend: float
    roll_hz: float
    roll_phase: float
    phase: float
    twitch: float = 0.0
    """rad the phase of an immotile living cell's tail rocks by"""

    @property
    def motile(self) -> bool:
        return self.kind in MOTILE


def draw_beat(
    rng: np.random.Generator,
    tail_scale: float,
    neck_angle: float,
    coil: float,
    donor_vigour: float,
    families: Families = FAMILIES,
    kinds: tuple[str, ...] = CLASSES,
) -> Beat:
    """A beat for a tail of this form; `families` as FAMILIES; `kinds` restricts the classes."""
    family = _choose(rng, {name: share for name, (share, _) in families.items()})
    weights = {kind: p * np.exp(0.6 * donor_vigour * VIGOUR[kind]) for kind, p in families[family][1].items()}
    kind = _choose(rng, {kind: p for kind, p in weights.items() if kind in kinds})
    wild = family == "wild"
    wavelength = rng.uniform(48, 66) if wild else rng.uniform(33, 45)
    lowest, highest = {"wild": (1.7, 2.3), "weak": (0.45, 0.65)}.get(family, (0.75, 1.15))
    amplitude = rng.uniform(lowest, highest)
    curve = {"curved": (0.028, 0.048), "wild": (0.02, 0.05), "curled": (0.12, 0.20)}.get(family, (0.0, 0.012))
    bend = rng.uniform(*curve) * rng.choice([-1, 1])
    u, v, w, phase = rng.random(4)
    # larger beats are slower at the same power, which also keeps the speed from showing in the amplitude
    pace = (0.95 / amplitude) ** (0.5 if wild else 1.5)
    frequency = (
        pace
        * {
            "rapid": 11 + 8 * u,
            "slow": 3 + 4 * u,
            "non-progressive": 6 + 8 * u,
            "hyperactivated": 12 + 9 * u,
            "circling": 9 + 8 * u,
            "immotile": 1.5 + 3 * u,
            "dead": 0.0,
        }[kind]
    )
    roll_hz = {"rapid": 3 + 4 * v, "slow": 1.5 + 2 * v, "hyperactivated": 0.5 + 1.5 * v}.get(kind, 0.0)
    return Beat(
        kind=kind,
        family=family,
        wave=Waveform(
            length=float(rng.uniform(46, 54)) * tail_scale,
            wavelength=float(wavelength),
            neck_angle=neck_angle,
            backward=float(0.36 + 0.12 * w) if kind == "non-progressive" else 0.0,
            coil=coil,
        ),
        frequency=float(frequency),
        amplitude=float(amplitude),
        bend=float(bend),
        roll_hz=float(roll_hz),
        roll_phase=float(rng.uniform(0, 2 * np.pi)),
        phase=float(2 * np.pi * phase),
        twitch=float(rng.uniform(0.1, 0.35)) if kind == "immotile" else 0.0,
    )


def _choose(rng: np.random.Generator, weights: dict[str, float]) -> str:
    names = list(weights)
    p = np.array([weights[name] for name in names])
    return names[int(np.searchsorted(np.cumsum(p / p.sum()), rng.random()).clip(0, len(names) - 1))]
