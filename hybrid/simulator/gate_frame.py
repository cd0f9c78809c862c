"""Gate (a) with a convolutional network: what it learns of quality from many first frames.

It sees what an image model of the project sees, the first frame as the camera recorded it, at full resolution, and is
taught form and steady motion too, so that it has every chance. It is trained and tested on clips of many small data
sets, so that its test clips are of other donors.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from tqdm import tqdm

from hybrid.simulator.clip import draw_cell, film, make_panel
from hybrid.simulator.gates import Gate
from hybrid.simulator.presets import COMPONENTS, get_preset
from hybrid.simulator.probe import convolutions, learn
from hybrid.simulator.settings import Settings
from hybrid.simulator.writer import play, record

TRAIN, TEST = 6000, 1500
CHUNK = 100
"""clips of one data set"""
CROP = 128
"""px around the picture's middle, where head and tail are"""
EPOCHS = 14


def frame_gates(seed: int, settings: Settings, workers: int) -> list[Gate]:
    """R^2 of quality, form and steady motion, of a network of seven convolutions on clips it has not seen."""
    tasks = [(10**6 * (seed + 1) + i, settings) for i in range((TRAIN + TEST) // CHUNK)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        parts = list(tqdm(pool.map(first_frames, tasks), "filming first frames", len(tasks), disable=None))
    pictures, targets = (np.concatenate([part[i] for part in parts]) for i in range(2))
    start = time.process_time()
    quality, form, motion = _r_squared(pictures, targets, TRAIN, seed)
    budget = f"network on {TRAIN} first frames, {time.process_time() - start:.0f} s of one core"
    share = get_preset("standard").shares[COMPONENTS.index("form")]
    error = 2 * np.sqrt(share) * (1 - share) / np.sqrt(TEST)
    return [
        Gate("a", f"R2 of quality, {budget}", quality, (-np.inf, share + 2 * error)),
        Gate("a", "R2 of form, the same network", form, None),
        Gate("a", "R2 of steady motion, the same network", motion, None),
    ]


def first_frames(task) -> tuple[np.ndarray, np.ndarray]:
    """(N, crop, crop) uint8 grey pictures of the clips of one small data set, and (N, 3) quality, form and motion."""
    seed, settings = task
    preset = get_preset("standard")
    panel = make_panel(seed, preset)
    cells = [draw_cell(seed, index, settings, preset, panel) for index in range(CHUNK)]
    targets = np.array([(c.quality.q, c.quality.form, c.quality.motion) for c in cells], np.float32)
    return np.stack([_first(cell, settings) for cell in cells]), targets


def _first(cell, settings) -> np.ndarray:
    frames = film(cell, settings, shown=2)[0]
    picture = play(record(frames, settings.frame_rate, cell.optics.quantiser))[0]
    edge = max(0, (settings.size - CROP) // 2)
    return picture[edge : edge + CROP, edge : edge + CROP].mean(-1).round().astype(np.uint8)


def _r_squared(pictures: np.ndarray, targets: np.ndarray, train: int, seed: int) -> list[float]:
    from torch import nn

    def network():
        features = convolutions((16, 32, 32, 64, 64, 96, 96), (2, 2, 1, 2, 1, 2, 1))
        return nn.Sequential(features, nn.Dropout(0.2), nn.Linear(96, targets.shape[1]))

    targets = (targets - targets[:train].mean(0)) / targets[:train].std(0)
    guess = learn(network, pictures[:, None], targets, train, seed, loss=nn.functional.mse_loss, epochs=EPOCHS)
    return list(map(float, 1 - ((guess - targets[train:]) ** 2).mean(0) / targets[train:].var(0)))
