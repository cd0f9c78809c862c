"""A sheet of simulated beside real frames, to see what gives the simulated ones away."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import av
import numpy as np
from einops import rearrange
from PIL import Image
from scipy import ndimage
from tqdm import tqdm

from hybrid.data.simulated import HEAD
from hybrid.errors import UserError
from hybrid.simulator.contact_sheet import captioned
from hybrid.simulator.settings import Settings
from hybrid.simulator.stream import stream

TILE = 96
"""px of either picture, as they are; shown at twice the size"""
ACROSS, DOWN = 4, 5
"""tiles of each kind"""
LOOKED_AT = 100
"""frames decoded of a real video"""


def compare_real(videos: Path, path: Path, settings: Settings, seed: int) -> None:
    """A PNG: on the left what stands out in frames of the real videos under a folder, on the right simulated cells.

    Whose pictures the real ones are is the user's to mind: the sheet belongs where no one publishes it by accident.
    """
    rng = np.random.default_rng(seed)
    if not videos.is_dir():
        raise UserError(f"{videos}: there is no such folder")
    files = sorted(file for file in videos.rglob("*") if file.is_file())
    frames = [frame for file in tqdm(files, "reading videos", disable=None) for frame in _frames(file, rng)]
    if not frames:
        raise UserError(f"{videos}: there is no video in this folder that can be read")
    chosen = [frames[i] for i in rng.permutation(len(frames))]
    real = [_around(chosen[i % len(chosen)], i // len(chosen)) for i in range(ACROSS * DOWN)]
    clips = islice(stream(seed, settings=settings), ACROSS * DOWN)
    simulated = [_head(clip[t], truth["masks"][t]) for clip, truth in clips for t in [rng.integers(len(clip))]]
    halves = []
    for tiles, text in ((real, "real"), (simulated, "simulated")):
        picture = Image.fromarray(rearrange(tiles, "(down across) h w c -> (down h) (across w) c", across=ACROSS))
        picture = picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BICUBIC)
        halves.append(captioned(np.asarray(picture), text))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate([halves[0], np.full_like(halves[0][:, :8], 255), halves[1]], 1)).save(path)


def _frames(file: Path, rng) -> list[np.ndarray]:
    """Three frames of a video, at random; none of a file that is no video."""
    try:
        with av.open(str(file)) as container:
            frames = [f.to_ndarray(format="rgb24") for f in islice(container.decode(video=0), LOOKED_AT)]
    except (av.FFmpegError, IndexError):
        return []
    frames = [frame for frame in frames if min(frame.shape[:2]) >= TILE]
    return [frames[i] for i in rng.permutation(len(frames))[:3]]


def _around(frame: np.ndarray, rank: int) -> np.ndarray:
    """A tile around what stands out most from its surroundings, or second most, ..."""
    grey = frame.mean(-1)
    contrast = ndimage.gaussian_filter(np.abs(grey - ndimage.gaussian_filter(grey, 20)), 4)
    half = TILE // 2
    inner = contrast[half : len(grey) - half + 1, half : grey.shape[1] - half + 1]
    peaks = np.argwhere((inner == ndimage.maximum_filter(inner, 31)) & (inner > 0))
    order = np.argsort([-inner[y, x] for y, x in peaks])
    y, x = peaks[order[rank % len(order)]] if len(order) else (0, 0)
    return frame[y : y + TILE, x : x + TILE]


def _head(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A tile with the head, as far from the picture's border as there is room for."""
    places = np.argwhere(mask == HEAD)
    middle = places.mean(0) if len(places) else np.array(mask.shape) / 2
    y, x = np.clip(middle - TILE / 2, 0, np.array(mask.shape) - TILE).astype(int)
    return frame[y : y + TILE, x : x + TILE]
