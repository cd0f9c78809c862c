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


def move(clip_CTHW: Tensor, view: View, out_CTHW: Tensor | None = None) -> Tensor:
    """The square clip mirrored, turned and shifted, in `out_CTHW` where given; what is shifted in repeats the border.

    Any dtype. Fast where channels are last in memory, in both: see `oriented`.
    """
    out_CTHW = torch.empty_like(clip_CTHW) if out_CTHW is None else out_CTHW
    side, turned_CTHW = clip_CTHW.shape[-1], oriented(clip_CTHW, view)
    (down, right), inside_CTHW = view.shift, out_CTHW
    for dim, by in ((-2, down), (-1, right)):
        kept = side - abs(by)
        turned_CTHW = turned_CTHW.narrow(dim, max(0, -by), kept)
        inside_CTHW = inside_CTHW.narrow(dim, max(0, by), kept)
    if view.quarter_turns % 2:  # pixels of few channels are slow to transpose, planes are not
        for inside_THW, turned_THW in zip(inside_CTHW, turned_CTHW, strict=True):
            inside_THW.copy_(turned_THW)
    else:
        inside_CTHW.copy_(turned_CTHW)
    for dim, by in ((-2, down), (-1, right)):
        if by:
            border = out_CTHW.narrow(dim, by if by > 0 else side + by - 1, 1)
            out_CTHW.narrow(dim, 0 if by > 0 else side + by, abs(by)).copy_(border)
    return out_CTHW


def oriented(clip_CTHW: Tensor, view: View) -> Tensor:
    """The clip mirrored and then turned, as a view or a copy: at most one flip, which torch does row by row where
    channels are last, and a transposition."""
    turns = view.quarter_turns
    dims = [-2] * (turns in (2, 3)) + [-1] * (view.mirrored != (turns in (1, 2)))
    clip_TCHW = clip_CTHW.transpose(0, 1)
    clip_TCHW = clip_TCHW.flip(dims) if dims else clip_TCHW
    return (clip_TCHW.mT if turns % 2 else clip_TCHW).transpose(0, 1)


def shift_before_turning(view: View) -> tuple[int, int]:
    """The shift (down, right) that, done before the clip is mirrored and turned, shows the same."""
    down, right = view.shift
    for _ in range(view.quarter_turns):
        down, right = right, -down
    return down, -right if view.mirrored else right
