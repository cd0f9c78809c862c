"""The latent quality of a clip, from what is physically there.

q = sum over form, motion, event and interaction of sqrt(share) x component; every component has mean 0 and variance 1
over cells and donors and is uncorrelated with the others, so that the shares are the Sobol shares of q's variance.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hybrid.data.casa import casa
from hybrid.simulator.events import Event
from hybrid.simulator.form import Form
from hybrid.simulator.motion import Beat
from hybrid.simulator.presets import COMPONENTS, Preset
from hybrid.simulator.swim import swim


@dataclass(frozen=True)
class Quality:
    """Components of unit variance, and the weighted sum `q`."""

    form: float
    motion: float
    event: float
    interaction: float
    q: float


def motion_score(beat: Beat, form: Form) -> float:
    """log(1 + VSL/8) of the cell's steady swim of one second, without event or Brownian motion."""
    if not beat.motile:
        return 0.0
    return float(np.log1p(steady_figures(beat, form.length, form.width)["vsl"] / 8))


@lru_cache(maxsize=1)
def steady_figures(beat: Beat, head_length: float, head_width: float) -> dict[str, float]:
    """CASA figures at 64 Hz of one second of the steady swim, without event or Brownian motion."""
    return casa(swim(beat, head_length, head_width, 0.0, 1.0, 0.0).path_T2[::8], 64)


def grade(form: Form, beat: Beat, event: Event, preset: Preset) -> Quality:
    """The quality of a cell that looks like this, swims like this and does this."""
    motion = (motion_score(beat, form) - preset.look.motion_mean) / preset.look.motion_sd
    scale = 1.0 if preset.lags else 1 / np.sqrt(preset.look.event_share)
    parts = dict(form=form.quality, motion=motion, event=event.sign * scale, interaction=form.quality * motion)
    q = sum(np.sqrt(share) * parts[name] for name, share in zip(COMPONENTS, preset.shares, strict=True))
    return Quality(**{name: float(value) for name, value in parts.items()}, q=float(q))
