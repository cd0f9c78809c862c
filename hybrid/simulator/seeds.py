"""Random streams that depend on what they are for and on nothing else.

Clip i of a data set depends on (seed, i) alone: not on how many clips there are, how many processes make them, or
what another part of the simulator draws.
"""

from __future__ import annotations

import numpy as np

PURPOSES = ("form", "motion", "event", "scene", "sensor", "votes", "donor", "panel")


def generator(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The generator of one purpose ('form', 'motion', ...) and one index (of a clip, donor or panel)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(PURPOSES.index(purpose), index)))
