"""From a model's own grid to the clip's pixels, so that relevance of all models lies on one scale."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from baselines import ClipModel


def on_clip(map_BSHW: Tensor, times_S: Tensor, model: ClipModel, clip_BCTHW: Tensor) -> Tensor:
    """(B, T, H, W): a map of S steps in time on a coarse grid, spread over the clip's frames and pixels.

    Sums are kept: a cell's relevance is shared out among the pixels that stand for it, and a step's among the frames
    that are nearer to its time than to any other's. So maps of different grids can be added.
    """
    frames, side = clip_BCTHW.shape[2], clip_BCTHW.shape[-1]
    share_TS = frame_shares(times_S, model, frames).to(map_BSHW)
    fine_BSHW = F.interpolate(map_BSHW, size=(side, side), mode="bilinear", align_corners=False)
    fine_BSHW = fine_BSHW * (map_BSHW.shape[-2] * map_BSHW.shape[-1] / side**2)
    return torch.einsum("bshw,ts->bthw", fine_BSHW, share_TS)


def frame_shares(times_S: Tensor, model: ClipModel, num_frames: int) -> Tensor:
    """(T, S): the share of each step's relevance that each frame gets; columns sum to 1."""
    seen = len(model.used_frames(num_frames))
    times_T = model.frame_times(num_frames, times_S.device)[:seen]
    apart_TS = (times_T[:, None] - times_S[None, :]).abs()
    nearest_TS = (apart_TS <= apart_TS.min(dim=1, keepdim=True).values + 1e-6).float()
    share_TS = nearest_TS / nearest_TS.sum(dim=1, keepdim=True)  # a frame between two steps is half of each
    share_TS = share_TS / share_TS.sum(dim=0, keepdim=True)
    return F.pad(share_TS, (0, 0, 0, num_frames - seen))
