"""Where head, midpiece and tail are: the simulator's masks at the times and the size of a model's clips."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange

from hybrid.data.clip import ClipSpec
from hybrid.data.simulated import HEAD, MASKS, MIDPIECE, TAIL, mask_path
from hybrid.data.timing import nearest
from hybrid.errors import UserError

PARTS = (HEAD, MIDPIECE, TAIL)


def has_masks(root: Path) -> bool:
    """Whether the data set has masks: of all its clips, then."""
    return (root / MASKS).is_dir()


def find_mask(root: Path, clip: str) -> Path:
    path = mask_path(root, clip)
    if not path.is_file():
        raise UserError(
            f"{path}: there is no mask of clip {clip!r}; a data set has masks of all its clips or no folder"
        )
    return path


def read_mask(path: Path, spec: ClipSpec, frame_rate: float) -> np.ndarray:
    """(T, H, W) uint8 of codes; frame_rate: frames a second of the clip that the mask is of."""
    try:
        with np.load(path) as file:
            mask_THW = file["masks"]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: no readable mask ({type(error).__name__})") from error
    if mask_THW.ndim != 3 or mask_THW.dtype != np.uint8 or mask_THW.max() > max(PARTS):
        raise UserError(f"{path}: 'masks' must be (frames, height, width) of the codes 0 to {max(PARTS)}")
    if mask_THW.shape[1] != mask_THW.shape[2]:
        raise UserError(f"{path}: masks must be square as the models' clips are, not {mask_THW.shape[1:]}")
    return resized(at_times(mask_THW, frame_rate, spec), spec.side)


class _Moment(NamedTuple):
    time: float
    mask_HW: np.ndarray


def at_times(mask_THW: np.ndarray, frame_rate: float, spec: ClipSpec) -> np.ndarray:
    """The masks of the frames that decoding takes."""
    moments = (_Moment(t / frame_rate, mask_HW) for t, mask_HW in enumerate(mask_THW))
    return np.stack([moment.mask_HW for moment in nearest(moments, spec.times)])


def resized(mask_THW: np.ndarray, side: int) -> np.ndarray:
    """Each pixel is the part that covers most of it, and nothing only where no part touches it.

    A tail is one or two pixels wide: by majority of area it would vanish where a clip is scaled down.
    """
    cover_TPHW = torch.from_numpy(np.stack([mask_THW == part for part in PARTS], axis=1)).float()
    if mask_THW.shape[-1] > side:
        cover_TPHW = F.adaptive_avg_pool2d(cover_TPHW, side)
    else:
        cover_TPHW = F.interpolate(cover_TPHW, size=(side, side), mode="nearest-exact")
    most_THW, part_THW = rearrange(cover_TPHW, "t part h w -> part t h w").max(dim=0)
    return torch.where(most_THW > 0, part_THW + PARTS[0], 0).to(torch.uint8).numpy()
