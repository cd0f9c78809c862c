"""What stands in a clip where frames are taken away. Two ways, since neither is a clip that a camera would take.

freeze: the nearest frame that is left, the earlier of two. Every picture is real, motion halts.
mean: the mean of the clip's own frames. No motion, but a picture as blurred as no frame is.
"""

from __future__ import annotations

import torch
from torch import Tensor

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
