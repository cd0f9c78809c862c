"""From stored pixels to a model's input: augmentation by the symmetries of the task, and normalisation.

Augmentation is drawn from (seed, epoch, clip), so that resuming is exact. A sperm's grade does not depend on which way
up the dish lies, how bright the lamp is, or where in the crop the cell sits. It does depend on the direction of time
and on size, so neither is touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from hybrid.config import AugmentConfig


@dataclass(frozen=True)
class AugmentParams:
    """One clip's draw: mirrored or not, quarter turns, shift in pixels (down, right), gain and offset."""

    mirrored: bool
    quarter_turns: int
    shift: tuple[int, int]
    gain: float
    offset: float


IDENTITY = AugmentParams(mirrored=False, quarter_turns=0, shift=(0, 0), gain=1.0, offset=0.0)


def draw_view(config: AugmentConfig, side: int, seed: int, epoch: int, clip: int) -> AugmentParams:
    """The view of clip number `clip` in `epoch`: a function of its arguments alone."""
    rng = np.random.default_rng((seed, epoch, clip))
    reach = round(config.shift * side)
    mirrored, turns = bool(rng.integers(2)), int(rng.integers(4))
    down, right = (int(pixels) for pixels in rng.integers(-reach, reach + 1, size=2))
    gain, offset = rng.uniform(-1, 1, size=2).tolist()
    if not config.flips_and_turns:
        mirrored, turns = False, 0
    return AugmentParams(mirrored, turns, (down, right), 1 + config.gain * gain, config.offset * offset)


def apply(clip_CTHW: Tensor, view: AugmentParams, out_CTHW: Tensor | None = None) -> Tensor:
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


def oriented(clip_CTHW: Tensor, view: AugmentParams) -> Tensor:
    """The clip mirrored and then turned, as a view or a copy: at most one flip, which torch does row by row where
    channels are last, and a transposition."""
    turns = view.quarter_turns
    dims = [-2] * (turns in (2, 3)) + [-1] * (view.mirrored != (turns in (1, 2)))
    clip_TCHW = clip_CTHW.transpose(0, 1)
    clip_TCHW = clip_TCHW.flip(dims) if dims else clip_TCHW
    return (clip_TCHW.mT if turns % 2 else clip_TCHW).transpose(0, 1)


def shift_before_turning(view: AugmentParams) -> tuple[int, int]:
    """The shift (down, right) that, done before the clip is mirrored and turned, shows the same."""
    down, right = view.shift
    for _ in range(view.quarter_turns):
        down, right = right, -down
    return down, -right if view.mirrored else right


WAYS = ("published", "clip")
FLAT = 1.0
"""grey level: a clip of less contrast holds no picture to be scaled up"""


@dataclass(frozen=True)
class Normalisation:
    """mean, std: one number a colour channel, of inputs in [0, 1], as a model's published weights were trained with.

    way: 'published' takes these; 'clip' takes each clip's own, a mean a channel and one standard deviation of all
    its pixels. Micrographs are grey with little contrast (a tenth of natural images'), and their brightness is the
    lamp's: by their own measure they look alike to a network that starts from fresh weights.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    way: str = "published"

    def __post_init__(self):
        if self.way not in WAYS:
            raise ValueError(f"normalise must be one of {', '.join(WAYS)}, not {self.way!r}")

    def line(self, views: list[AugmentParams], channels: int, moments_B2C: Tensor | None) -> tuple[Tensor, Tensor]:
        """Scale and bias, (B, C) float32: an input is a stored pixel (0 to 255) times the one, plus the other.

        moments_B2C: of the clips as they are seen, for the way 'clip', which undoes the brightness of the views.
        """
        if self.way == "clip":
            mean_BC, square_BC = moments_B2C.unbind(1)
            contrast_B1 = (square_BC - mean_BC**2).mean(1, keepdim=True).clamp_min(0).sqrt().clamp_min(FLAT)
            return (1 / contrast_B1).expand_as(mean_BC).float(), (-mean_BC / contrast_B1).float()
        gain_B1, offset_B1 = torch.tensor([[view.gain, view.offset] for view in views], dtype=torch.float64).split(1, 1)
        mean_C, std_C = (_for_channels(values, channels) for values in (self.mean, self.std))
        # ((x / 255) * gain + offset - mean) / std
        return (gain_B1 / (255 * std_C)).float(), ((offset_B1 - mean_C) / std_C).float()


def moments_by_shift(frames_THWC: Tensor, reach: int) -> Tensor:
    """(S, S, 2, C) float64, S = 2 reach + 1: mean and mean square of each channel, by how far the clip is shifted.

    Entry (reach + down, reach + right) is that of the uint8 clip shifted by so many pixels, the border repeated: as
    `apply` does it, whose turns and mirrors change no mean. The sums are exact.
    """
    pixels_THWC = frames_THWC.float()
    sums_2HWC = torch.stack([pixels_THWC.sum(0), pixels_THWC.square_().sum(0)]).double()  # below 2^24: 258 frames
    seen_SH, seen_SW = (_times_seen(side, reach) for side in frames_THWC.shape[1:3])
    sums_2SWC = (seen_SH @ sums_2HWC.flatten(2)).unflatten(2, sums_2HWC.shape[2:])
    return (seen_SW @ sums_2SWC).permute(1, 2, 0, 3) / frames_THWC[..., 0].numel()


def moments_as_seen(by_shift_SS2C: Tensor, view: AugmentParams) -> Tensor:
    """(2, C): the moments of the clip in this view, out of `moments_by_shift`."""
    reach = len(by_shift_SS2C) // 2
    down, right = shift_before_turning(view)
    return by_shift_SS2C[reach + down, reach + right]


@cache
def _times_seen(side: int, reach: int) -> Tensor:
    """(2 reach + 1, side): how often each row is shown, by the shift."""
    shown = torch.arange(side) - torch.arange(-reach, reach + 1)[:, None]
    return one_hot(shown.clamp(0, side - 1), side).sum(1).double()


def _for_channels(values: tuple[float, ...], channels: int) -> Tensor:
    """A grey clip is measured by the mean of the three colours."""
    values_C = torch.tensor(values, dtype=torch.float64)
    return values_C if channels == len(values) else values_C.mean().expand(channels)
