"""All that the gates measure of a data set's clips, read back from its files."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from hybrid.simulator import look
from hybrid.simulator.sheet import read_clip

LOW_PASS = 3.0
"""px, standard deviation of the blur that takes the texture away"""


def measure(root: Path, workers: int) -> dict[str, np.ndarray]:
    """{name: (clips, numbers)} in the order of truth.csv; see `_measure`."""
    paths = pd.read_csv(root / "paths.csv").groupby("clip", sort=False)
    tasks = [(root, clip, rows[["x_px", "y_px", "heading"]].to_numpy()) for clip, rows in paths]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        rows = list(
            tqdm(pool.map(_measure, tasks, chunksize=8), "measuring clips", len(tasks), unit="clip", disable=None)
        )
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _measure(task) -> dict[str, np.ndarray]:
    """frame: of the first frame alone. texture, movement: of all frames; `_blurred`: after the low-pass.
    one: figures of one number each, the shortcuts."""
    root, clip, track = task
    colour = read_clip(root, clip).astype(np.float32)
    frames = colour.mean(-1)
    masks = np.load((root / "masks" / clip).with_suffix(".npz"))["masks"]
    blurred = look.blur(frames, LOW_PASS)
    return {
        "frame_crop": look.head_crop(frames[0], *track[0]).ravel(),
        "frame": np.concatenate(
            [
                look.gradients(frames[0]),
                look.sharpness(frames[0], masks[0]),
                look.texture(look.head_crop(frames[0], *track[0])),
                [track[0, 0], track[0, 1], frames[0].mean()],
            ]
        ),  # fmt: skip
        **_heads(frames, track, ""),
        **_heads(blurred, track, "_blurred"),
        "movement": look.movement(frames),
        "movement_blurred": look.movement(blurred),
        "one": np.array(list(shortcuts(root, clip, colour, masks).values())),
    }


def _heads(frames, track, suffix):
    crops = np.stack([look.head_crop(picture, *place) for picture, place in zip(frames, track, strict=True)])
    mean = crops.mean(0)
    return {f"crop{suffix}": mean.ravel(), f"texture{suffix}": look.texture(mean)}


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
        "pixels of head": float((masks == 1).sum()),
        "pixels of tail": float((masks == 3).sum()),
        "pixel noise": float(np.median(np.abs(np.diff(frames[0], n=2, axis=0)))),
    }


SHORTCUTS = (
    "mean brightness",
    "contrast (sd of pixels)",
    "darkest pixel",
    "brightest pixel",
    "red minus blue",
    "clip file size",
    "mean frame difference",
    "largest frame difference",
    "first against last frame",
    "pixels of head",
    "pixels of tail",
    "pixel noise",
)
