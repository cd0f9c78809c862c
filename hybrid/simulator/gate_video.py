"""Gate (c) with a network that sees pixels: halves and whole of the clips of one lag set, at 64 px.

A convolutional network looks at each frame, and what it finds is summed over the frames: enough to tell two bends to
one side from one to each, were it to learn to see them. All is told for information: with what it costs here it has not
learned the whole, and then halves at chance show nothing.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
from tqdm import tqdm

from hybrid.simulator.clip import draw_cell, film, make_panel
from hybrid.simulator.gates import Gate
from hybrid.simulator.presets import get_preset
from hybrid.simulator.probe import convolutions, learn
from hybrid.simulator.settings import Settings

LAG = 8
TRAIN, TEST = 2400, 600
CHUNK = 60
SIZE = 64
EPOCHS = {"the whole clip": 12, "the first half": 6, "the second half": 6}


def video_gates(seed: int, settings: Settings, workers: int) -> list[Gate]:
    """Accuracy of the network on the first half, the second half and the whole of clips it has not seen."""
    small = replace(settings, size=SIZE, um_per_px=settings.view / SIZE, colour=False)
    tasks = [(10**6 * (seed + 1) + i, small) for i in range((TRAIN + TEST) // CHUNK)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        parts = list(tqdm(pool.map(clips, tasks), f"filming lag{LAG}", len(tasks), disable=None))
    pictures, sign, middle = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return [_gate(name, part, sign, seed) for name, part in halves(pictures, middle).items()]


def halves(pictures_NTHW: np.ndarray, middle_N: np.ndarray) -> dict[str, np.ndarray]:
    """The whole clips, and what is left of them with the frames of the other half blank."""
    early = (np.arange(pictures_NTHW.shape[1]) < middle_N[:, None])[..., None, None]
    blank = pictures_NTHW.mean((1, 2, 3), keepdims=True).round().astype(np.uint8)
    return {
        "the whole clip": pictures_NTHW,
        "the first half": np.where(early, pictures_NTHW, blank),
        "the second half": np.where(early, blank, pictures_NTHW),
    }


def clips(task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, T, H, W) uint8 of a small data set, the labels (N,), and (N,) the first frame of the second half."""
    seed, settings = task
    preset = get_preset(f"lag{LAG}")
    panel = make_panel(seed, preset)
    cells = [draw_cell(seed, index, settings, preset, panel) for index in range(CHUNK)]
    pictures = np.stack([film(cell, settings)[0][..., 0] for cell in cells])
    sign = np.array([cell.event.sign > 0 for cell in cells])
    first = np.array([round(cell.event.first * settings.frame_rate) for cell in cells])
    return pictures, sign, first + LAG // 2


def _gate(name: str, pictures: np.ndarray, sign: np.ndarray, seed: int) -> Gate:
    from torch import nn

    def loss(output, target):
        return nn.functional.binary_cross_entropy_with_logits(output[:, 0], target)

    start = time.process_time()
    output = learn(_network, pictures, sign, TRAIN, seed, loss=loss, epochs=EPOCHS[name])[:, 0]
    seconds = time.process_time() - start
    what = f"lag{LAG}: accuracy of a network on the pixels of {name} ({TRAIN} clips, {seconds:.0f} s of one core)"
    return Gate("c", what, float(((output > 0) == sign[TRAIN:]).mean()), None)


def _network():
    from einops import rearrange
    from torch import nn

    class OverFrames(nn.Module):
        def __init__(self):
            super().__init__()
            self.look = convolutions((8, 16, 32, 32), (2, 2, 2, 1))
            self.judge = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))

        def forward(self, clip_BTHW):
            seen = self.look(rearrange(clip_BTHW, "b t h w -> (b t) 1 h w"))
            return self.judge(rearrange(seen, "(b t) c -> b t c", b=len(clip_BTHW)).mean(1))

    return OverFrames()
