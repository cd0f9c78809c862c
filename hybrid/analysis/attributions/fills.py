"""What a clip is compared with: the clip without what is asked about, and still a picture."""

from __future__ import annotations

from einops import rearrange
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

BLUR = 1 / 8
"""sigma of the blur, as a share of the crop: a cell leaves no more than a shade"""


def temporal_mean(clip_BCTHW: Tensor) -> Tensor:
    """Every frame the mean of all: the clip without its motion."""
    return clip_BCTHW.mean(dim=2, keepdim=True).expand_as(clip_BCTHW)


def blurred(clip_BCTHW: Tensor) -> Tensor:
    """Every frame without its detail: the clip without its cell."""
    side = clip_BCTHW.shape[-1]
    sigma = BLUR * side
    frames = rearrange(clip_BCTHW, "b c t h w -> (b t) c h w")
    frames = gaussian_blur(frames, kernel_size=2 * int(2.5 * sigma) + 1, sigma=sigma)
    return rearrange(frames, "(b t) c h w -> b c t h w", b=len(clip_BCTHW))
