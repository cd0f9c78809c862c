"""From stored pixels to what a model is given: a published network's way, or each clip by its own contrast."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hybrid.data.augment import STILL, View

WAYS = ("published", "clip")
FLAT = 1 / 255
"""of full scale: a clip of less contrast than one grey level holds no picture to be scaled up"""


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

    def __call__(self, clip_BCTHW: Tensor, views: list[View] | None = None) -> Tensor:
        """uint8 clips as the float32 input of a model; the brightness of `views` is undone where each clip is its own
        measure."""
        if self.way == "clip":
            x_BCTHW = clip_BCTHW.float() / 255
            x_BCTHW -= x_BCTHW.mean(dim=(2, 3, 4), keepdim=True)
            return x_BCTHW / x_BCTHW.square().mean(dim=(1, 2, 3, 4), keepdim=True).sqrt().clamp_min(FLAT)
        views = views or [STILL] * len(clip_BCTHW)
        gain_B, offset_B = torch.tensor([[view.gain, view.offset] for view in views], device=clip_BCTHW.device).T
        mean_C, std_C = (_for_channels(values, clip_BCTHW) for values in (self.mean, self.std))
        # ((x / 255) * gain + offset - mean) / std in one multiplication and one addition a pixel
        scale_BC = gain_B[:, None] / (255 * std_C)
        bias_BC = (offset_B[:, None] - mean_C) / std_C
        return torch.addcmul(bias_BC[..., None, None, None], clip_BCTHW.float(), scale_BC[..., None, None, None])


def _for_channels(values: tuple[float, ...], clip_BCTHW: Tensor) -> Tensor:
    """A grey clip is measured by the mean of the three colours."""
    values_C, channels = torch.tensor(values, device=clip_BCTHW.device), clip_BCTHW.shape[1]
    return values_C if channels == len(values) else values_C.mean().expand(channels)
