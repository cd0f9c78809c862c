"""What can be measured in a clip's pixels, for the simulator's own gates: no model of the project looks at this."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import fft, ndimage
from tqdm import tqdm

from hybrid.data.simulated import HEAD, MIDPIECE, PATHS, TAIL, mask_path
from hybrid.simulator.contact_sheet import read_clip
from hybrid.simulator.dataset import in_processes

CROP = (36, 24)
"""px along and across the head"""


def measure(root: Path, workers: int, low_pass: float) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Of a data set's clips, in the order of truth.csv: {name: (clips, numbers)}, see `_measure`; and the shortcuts, a
    column each. low_pass: px, standard deviation of the blur that takes the texture away."""
    paths = pd.read_csv(root / PATHS).groupby("clip", sort=False)
    tasks = [(root, low_pass, clip, rows[["x_px", "y_px", "heading"]].to_numpy()) for clip, rows in paths]
    made = in_processes(_measure, tasks, workers, chunksize=8)
    features, ones = zip(*tqdm(made, "measuring clips", len(tasks), unit="clip", disable=None), strict=True)
    return {name: np.stack([row[name] for row in features]) for name in features[0]}, pd.DataFrame(ones)


def _measure(task: tuple[Path, float, str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """frame: of the first frame alone. texture, movement: of all frames; `_blurred`: after the low-pass."""
    root, low_pass, clip, track = task
    colour = read_clip(root, clip).astype(np.float32)
    frames = colour.mean(-1)
    masks = np.load(mask_path(root, clip))["masks"]
    blurred = blur(frames, low_pass)
    first = head_crop(frames[0], *track[0])
    place = [track[0, 0], track[0, 1], frames[0].mean()]
    features = {
        "frame_crop": first.ravel(),
        "frame": np.concatenate([gradients(frames[0]), sharpness(frames[0], masks[0]), texture(first), place]),
        **_heads(frames, track, ""),
        **_heads(blurred, track, "_blurred"),
        "movement": movement(frames),
        "movement_blurred": movement(blurred),
    }
    return features, shortcuts(root, clip, colour, masks)


def _heads(frames, track, suffix):
    crops = np.stack([head_crop(picture, *place) for picture, place in zip(frames, track, strict=True)])
    mean = crops.mean(0)
    return {f"crop{suffix}": mean.ravel(), f"texture{suffix}": texture(mean)}


def shortcuts(root: Path, clip: str, frames: np.ndarray, masks: np.ndarray) -> dict[str, float]:
    """Figures of one number by which a lazy model might grade."""
    difference = np.abs(np.diff(frames, axis=0))
    return {
        "mean brightness": float(frames.mean()),
        "contrast (sd of pixels)": float(frames[0].std()),
        "darkest pixel": float(frames.min()),
        "brightest pixel": float(frames.max()),
        "red minus blue": float((frames[..., 0] - frames[..., 2]).mean()),
        "clip file size": float(os.path.getsize(root / "clips" / clip)),
        "mean frame difference": float(difference.mean()),
        "largest frame difference": float(difference.mean((1, 2, 3)).max()),
        "first against last frame": float(np.abs(frames[-1] - frames[0]).mean()),
        "pixels of head": float((masks == HEAD).sum()),
        "pixels of tail": float((masks == TAIL).sum()),
        "pixel noise": float(np.median(np.abs(np.diff(frames[0], n=2, axis=0)))),
    }


def blur(frames_THW: np.ndarray, sigma: float) -> np.ndarray:
    """The frames without detail finer than about `sigma` px."""
    return ndimage.gaussian_filter(frames_THW, (0, sigma, sigma)) if sigma else frames_THW


def head_crop(picture_HW: np.ndarray, x: float, y: float, heading: float) -> np.ndarray:
    """The head turned to look to the right, cut out where truth says it is, with its mean taken off."""
    along, across = (np.arange(n) - (n - 1) / 2 for n in CROP)
    a, b = np.meshgrid(along, across)
    c, s = np.cos(heading), np.sin(heading)
    crop = ndimage.map_coordinates(picture_HW, [y + s * a + c * b, x + c * a - s * b], order=1, mode="nearest")
    return crop - crop.mean()


def texture(crop: np.ndarray) -> np.ndarray:
    """Energy by scale, and the spread of brightness, of a head."""
    scales = [crop, *(ndimage.gaussian_filter(crop, s) for s in (0.7, 1.4, 2.8))]
    bands = [scales[i] - scales[i + 1] for i in range(3)]
    middle = (slice(6, -6), slice(9, -9))
    figures = [f(band[middle]) for band in bands for f in (np.std, np.min, np.max)]
    profile = crop[9:-9].mean(0)[9:-9]
    whole = np.std(crop[middle]) + 1e-6
    relative = [band[middle].std() / whole for band in bands]
    bends = ndimage.laplace(scales[1])[middle].std() / (np.hypot(*np.gradient(scales[1]))[middle].mean() + 1e-6)
    spread = np.percentile(crop[middle], [2, 10, 25, 50, 75, 90, 98])
    return np.array([*figures, *relative, bends, *spread, *(spread / whole), *profile])


def gradients(picture_HW: np.ndarray, cells: int = 5, bins: int = 8) -> np.ndarray:
    """Histograms of oriented gradients on a grid of cells (Dalal and Triggs 2005, one normalisation)."""
    gy, gx = np.gradient(picture_HW)
    size, angle = np.hypot(gx, gy), np.arctan2(gy, gx) % np.pi
    rows = np.arange(picture_HW.shape[0]) * cells // picture_HW.shape[0]
    columns = np.arange(picture_HW.shape[1]) * cells // picture_HW.shape[1]
    index = (rows[:, None] * cells + columns) * bins + np.minimum((angle / np.pi * bins).astype(int), bins - 1)
    total = np.bincount(index.ravel(), size.ravel(), cells * cells * bins)
    return total / (total.sum() + 1e-9)


def sharpness(picture_HW: np.ndarray, mask_HW: np.ndarray) -> np.ndarray:
    """How sharp head and tail stand out: what blur by motion would betray in one frame."""
    size = np.hypot(*np.gradient(ndimage.gaussian_filter(picture_HW, 0.7)))
    figures = [np.median(size)]
    for code in (HEAD, MIDPIECE, TAIL):
        here = ndimage.binary_dilation(mask_HW == code, iterations=2)
        figures += [size[here].mean(), size[here].std(), float(here.sum())] if here.any() else [0.0, 0.0, 0.0]
    return np.array(figures)


def shifts(frames_THW: np.ndarray) -> np.ndarray:
    """(T-1, 2) px the surroundings move from frame to frame, by phase correlation."""
    frames = frames_THW - ndimage.uniform_filter(frames_THW, (0, 17, 17))
    frames = frames - 0.9 * frames.mean(0)
    frames = np.clip(frames, -12, 12) * np.outer(*(np.hanning(n) for n in frames.shape[1:]))
    spectra = fft.rfft2(frames)
    cross = spectra[1:] * np.conj(spectra[:-1])
    peak = fft.irfft2(cross / (np.abs(cross) + 1e-6 * np.abs(cross).max()) ** 0.7, s=frames.shape[1:])
    reach = 16
    peak = np.roll(peak, (reach, reach), (1, 2))[:, : 2 * reach + 1, : 2 * reach + 1]
    return np.stack(np.unravel_index(peak.reshape(len(peak), -1).argmax(1), peak.shape[1:]), 1) - reach


def movement(frames_THW: np.ndarray) -> np.ndarray:
    """How much and which way the picture changes over time."""
    shift = shifts(frames_THW)
    size = np.linalg.norm(shift, axis=1)
    difference = np.abs(np.diff(frames_THW, axis=0))
    change = difference.mean((1, 2))
    strong = difference.max((1, 2))
    net = np.linalg.norm(shift.sum(0))
    halves = [v[: len(v) // 2].mean() - v[len(v) // 2 :].mean() for v in (size, change, strong)]
    summary = [size.mean(), np.median(size), size.max(), net, net / (size.sum() + 1), change.mean(), change.min(),
               strong.mean(), strong.min(), strong.max(), *halves]  # fmt: skip
    return np.concatenate([summary, size, strong])
