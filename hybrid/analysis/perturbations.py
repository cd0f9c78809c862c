"""Changed clips: frames taken away, motion averaged out, detail blurred.

Where frames are taken away, something must stand in for them. There are two ways, since neither gives a clip that a
camera would record:
freeze: the nearest frame that is left, the earlier one of two. Every picture is real, but motion halts.
mean: the mean of the clip's own frames. There is no motion, but the picture is more blurred than any frame.
"""

import torch
from einops import rearrange
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

FILLS = ("freeze", "mean")


def without(clip_CTHW: Tensor, removed_T: Tensor, fill: str) -> Tensor:
    """The clip with the frames where `removed_T` is true filled in; one frame or more must be left."""
    if fill not in FILLS:
        raise ValueError(f"fill must be one of {FILLS}, not {fill!r}")
    if fill == "mean":
        return torch.where(removed_T[:, None, None], clip_CTHW.mean(dim=1, keepdim=True), clip_CTHW)
    left = torch.nonzero(~removed_T)[:, 0]
    frames = torch.arange(len(removed_T), device=removed_T.device)
    nearest = (frames[:, None] - left).abs().argmin(dim=1)  # the first of equals: the earlier frame
    return clip_CTHW[:, left[nearest]]


def stand_ins(clip_CTHW: Tensor, fill: str) -> Tensor:
    """(C, T, H, W): what stands for each frame when it alone is taken away."""
    frames = clip_CTHW.shape[1]
    alone = torch.eye(frames, dtype=torch.bool, device=clip_CTHW.device)
    return torch.stack([without(clip_CTHW, alone[t], fill)[:, t] for t in range(frames)], dim=1)


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
