"""Gate (a) with a convolutional network: what it learns of quality from many first frames.

It sees what an image model of the project sees, the first frame as the camera records it, at full resolution, and is
told form and steady motion too, so that it has every chance. Its clips are of other data sets, and so of other donors,
in training and in test.
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
from hybrid.simulator.settings import Settings
from hybrid.simulator.writer import play, record

TRAIN, TEST = 6000, 1500
CHUNK = 100
"""clips of one data set"""
CROP = 128
"""px around the picture's middle, where head and tail are"""
EPOCHS = 14
TARGETS = ("quality", "form", "motion")


def frame_gates(seed: int, settings: Settings, workers: int, train: int = TRAIN, test: int = TEST) -> list[Gate]:
    """The network's R^2 on clips of data sets it has not seen, and what it cost."""
    start = time.process_time()
    tasks = [(10**6 * (seed + 1) + i, settings) for i in range((train + test) // CHUNK)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        parts = list(tqdm(pool.map(first_frames, tasks), "filming first frames", len(tasks), disable=None))
    pictures, targets = (np.concatenate([part[i] for part in parts]) for i in range(2))
    found = dict(zip(TARGETS, _learned(pictures, targets, train, seed), strict=True))
    spent = time.process_time() - start
    share = get_preset("standard").shares[COMPONENTS.index("form")]
    error = 2 * np.sqrt(share) * (1 - share) / np.sqrt(test)
    return [
        Gate("a", f"R2 of quality from the first frame, convolutional network on {train} ({spent:.0f} s of training)",
             found["quality"], (-np.inf, share + 2 * error)),
        Gate("a", "R2 of form from the first frame, the same network", found["form"], None),
        Gate("a", "R2 of steady motion from the first frame, the same network", found["motion"], None),
    ]  # fmt: skip


def first_frames(task) -> tuple[np.ndarray, np.ndarray]:
    """(N, crop, crop) uint8 grey pictures and (N, 3) targets of the clips of one small data set."""
    seed, settings = task
    preset = get_preset("standard")
    panel = make_panel(seed, preset)
    cells = [draw_cell(seed, index, settings, preset, panel) for index in range(CHUNK)]
    pictures = [_first(cell, settings) for cell in cells]
    return np.stack(pictures), np.array([(c.quality.q, c.quality.form, c.quality.motion) for c in cells], np.float32)


def _first(cell, settings) -> np.ndarray:
    frames = film(cell, settings, shown=2)[0]
    picture = play(record(frames, settings.frame_rate, cell.optics.quantiser))[0]
    edge = max(0, (settings.size - CROP) // 2)
    return picture[edge : edge + CROP, edge : edge + CROP].mean(-1).round().astype(np.uint8)


def _learned(pictures: np.ndarray, targets: np.ndarray, train: int, seed: int) -> np.ndarray:
    """R^2 of each target on the pictures after the first `train`."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    x = torch.as_tensor(pictures)[:, None]
    y = torch.as_tensor((targets - targets[:train].mean(0)) / targets[:train].std(0))
    net = _network(y.shape[1]).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.05)
    steps = EPOCHS * -(-train // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    for _ in tqdm(range(EPOCHS), "training on first frames", disable=None):
        for batch in torch.randperm(train).split(64):
            loss = nn.functional.mse_loss(net(_turned(_normalised(x[batch]))), y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    net.eval()
    with torch.no_grad():
        guess = torch.cat([net(_normalised(part)) for part in x[train:].split(64)])
    torch.set_num_threads(threads)
    rest = y[train:]
    return (1 - ((guess - rest) ** 2).mean(0) / rest.var(0, unbiased=False)).numpy()


def _normalised(pictures):
    pictures = pictures.float()
    return (pictures - pictures.mean((-1, -2), keepdim=True)) / 20


def _turned(pictures):
    """Flipped and turned by quarters, a batch alike."""
    import torch

    flip, turns = torch.randint(2, ()).item(), torch.randint(4, ()).item()
    return torch.rot90(pictures.flip(-1) if flip else pictures, turns, (-2, -1))


def _network(outputs: int):
    """Seven convolutions down to 8 x 8 places, then the mean and the largest of each feature."""
    from torch import nn

    def block(inside, outside, stride):
        return [
            nn.Conv2d(inside, outside, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outside),
            nn.ReLU(inplace=True),
        ]

    layers = [*block(1, 16, 2), *block(16, 32, 2), *block(32, 32, 1), *block(32, 64, 2), *block(64, 64, 1),
              *block(64, 96, 2), *block(96, 96, 1)]  # fmt: skip
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(96, outputs))
