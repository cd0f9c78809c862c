"""From stored pixels to what a model is given: a published network's way, or each clip by its own contrast."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from hybrid.data.augment import View, shift_before_turning

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

    def line(self, views: list[View], channels: int, moments_B2C: Tensor | None) -> tuple[Tensor, Tensor]:
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
    `augment.move` does it, whose turns and mirrors change no mean. The sums are exact.
    """
    pixels_THWC = frames_THWC.float()
    sums_2HWC = torch.stack([pixels_THWC.sum(0), pixels_THWC.square_().sum(0)]).double()  # below 2^24: 258 frames
    seen_SH, seen_SW = (_times_seen(side, reach) for side in frames_THWC.shape[1:3])
    sums_2SWC = (seen_SH @ sums_2HWC.flatten(2)).unflatten(2, sums_2HWC.shape[2:])
    return (seen_SW @ sums_2SWC).permute(1, 2, 0, 3) / frames_THWC[..., 0].numel()


def moments_as_seen(by_shift_SS2C: Tensor, view: View) -> Tensor:
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
