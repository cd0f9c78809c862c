"""Forty raters who grade a quality: each with a severity, thresholds, noise, lapses and a taste of his own.

Rater r feels U = a_r q + gamma_r (form - motion) / sqrt(2) + b_r + noise, and gives the grade whose interval, between
his four ordered thresholds, it falls into; one time in fifty any grade. Tastes make votes that disagree.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from hybrid.simulator.quality import Quality

GRADES = "ABCDE"
NUM_RATERS = 40
LAPSES = 0.02
THRESHOLDS = (0.95, 0.30, -0.30, -0.95)
"""of a mean rater: above the first A, below the last E"""
NOISE = 0.70


@dataclass(frozen=True)
class Panel:
    """One value a rater: (R,) each, thresholds (R, 4) from high to low."""

    gain: np.ndarray
    taste: np.ndarray
    severity: np.ndarray
    noise: np.ndarray
    thresholds: np.ndarray

    def distributions(self, quality: Quality) -> np.ndarray:
        """(R, 5) probability of each grade by each rater."""
        above = ndtr((self._feeling(quality)[:, None] - self.thresholds) / self.noise[:, None])
        edges = np.concatenate([np.zeros((NUM_RATERS, 1)), above, np.ones((NUM_RATERS, 1))], 1)
        return (1 - LAPSES) * np.diff(edges, axis=1) + LAPSES / len(GRADES)

    def vote(self, quality: Quality, rng: np.random.Generator) -> np.ndarray:
        """(R,) the grades given, 0 for A to 4 for E."""
        felt = self._feeling(quality) + self.noise * rng.normal(size=NUM_RATERS)
        votes = (felt[:, None] < self.thresholds).sum(1)
        lapse, anything = rng.random(NUM_RATERS) < LAPSES, rng.integers(len(GRADES), size=NUM_RATERS)
        return np.where(lapse, anything, votes)

    def _feeling(self, quality: Quality) -> np.ndarray:
        return self.gain * quality.q + self.taste * (quality.form - quality.motion) / np.sqrt(2) - self.severity


def draw_panel(rng: np.random.Generator, tastes: bool = True) -> Panel:
    """A panel; without `tastes` where form or motion does not count, so that nothing but the quality decides."""
    spread = np.sort(rng.normal(size=(NUM_RATERS, 4)) * 0.12 + np.array(THRESHOLDS), axis=1)[:, ::-1]
    return Panel(
        gain=np.exp(rng.normal(size=NUM_RATERS) * 0.15),
        taste=rng.normal(size=NUM_RATERS) * 0.25 * tastes,
        severity=rng.normal(size=NUM_RATERS) * 0.25,
        noise=NOISE * np.exp(rng.normal(size=NUM_RATERS) * 0.2),
        thresholds=spread,
    )
