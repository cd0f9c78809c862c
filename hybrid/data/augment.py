"""Augmentation: the symmetries of the task, drawn from (seed, epoch, clip) so that resuming is exact.

A sperm's grade does not depend on which way up the dish lies, how bright the lamp is, or where in the
crop the cell sits. It does depend on the direction of time and on size, so neither is touched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hybrid.config import AugmentConfig


@dataclass(frozen=True)
class View:
    """One clip's draw: mirrored or not, quarter turns, shift in pixels (down, right), gain and offset."""

    mirrored: bool
    quarter_turns: int
    shift: tuple[int, int]
    gain: float
    offset: float


STILL = View(mirrored=False, quarter_turns=0, shift=(0, 0), gain=1.0, offset=0.0)


def draw_view(config: AugmentConfig, side: int, seed: int, epoch: int, clip: int) -> View:
    """The view of clip number `clip` in `epoch`: a function of its arguments alone."""
    rng = np.random.default_rng((seed, epoch, clip))
    reach = round(config.shift * side)
    mirrored, turns = bool(rng.integers(2)), int(rng.integers(4))
    down, right = (int(pixels) for pixels in rng.integers(-reach, reach + 1, size=2))
    gain, offset = rng.uniform(-1, 1, size=2).tolist()
    if not config.flips_and_turns:
        mirrored, turns = False, 0
    return View(mirrored, turns, (down, right), 1 + config.gain * gain, config.offset * offset)


def move(clip_CTHW: Tensor, view: View) -> Tensor:
    """The clip turned, mirrored and shifted; what is shifted in repeats the border. Any dtype."""
    if view.mirrored:
        clip_CTHW = clip_CTHW.flip(-1)
    clip_CTHW = clip_CTHW.rot90(view.quarter_turns, dims=(-2, -1))
    down, right = view.shift
    if down:
        clip_CTHW = clip_CTHW.index_select(-2, _shifted(clip_CTHW.shape[-2], down, clip_CTHW.device))
    if right:
        clip_CTHW = clip_CTHW.index_select(-1, _shifted(clip_CTHW.shape[-1], right, clip_CTHW.device))
    return clip_CTHW


def _shifted(length: int, by: int, device) -> Tensor:
    return (torch.arange(length, device=device) - by).clamp_(0, length - 1)
