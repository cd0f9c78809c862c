"""Networks that the gates train on pixels, on one core, to see what can be learned from them.

Gate (a): what a network learns of quality from many first frames. It sees what an image model of the project sees, the
first frame as the camera recorded it, at full resolution, and is taught form and steady motion too, so that it has
every chance.

Gate (c): halves and whole of the clips of one lag set, at 64 px. Each frame is looked at, and what is found is averaged
over the frames: enough to tell two bends to one side from one to each, were the network to learn to see them. All is
told for information: with what it costs here it has not learned the whole, and then halves at chance show nothing.

Both are trained and tested on clips of many small data sets, so that the test clips are of other donors.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from tqdm import tqdm

from hybrid.simulator.checks.gate_lag import lag_preset
from hybrid.simulator.checks.gates import Gate, frame_limit
from hybrid.simulator.clip import Cell, draw_cell, film, make_panel
from hybrid.simulator.dataset import in_processes
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings
from hybrid.simulator.writer import play, record

FRAMES_TRAIN, FRAMES_TEST, FRAMES_CHUNK = 6000, 1500, 100
"""clips in all, and clips of one data set"""
FRAMES_EPOCHS = 14
CROP = 128
"""px around the picture's middle, where head and tail are"""

LAG = 8
CLIPS_TRAIN, CLIPS_TEST, CLIPS_CHUNK = 2400, 600, 60
CLIPS_EPOCHS = {"the whole clip": 12, "the first half": 6, "the second half": 6}
SIZE = 64

BATCH = 64


def frame_gates(preset: str, seed: int, settings: Settings, workers: int) -> list[Gate]:
    """R^2 of quality, form and steady motion, of a network of seven convolutions on first frames it has not seen."""
    sets = (FRAMES_TRAIN + FRAMES_TEST) // FRAMES_CHUNK
    pictures, targets = _small_sets(
        partial(first_frames, preset=preset), "filming first frames", sets, seed, settings, workers
    )
    start = time.process_time()
    quality, form, motion = _r_squared(pictures, targets, FRAMES_TRAIN, seed)
    budget = f"network on {FRAMES_TRAIN} first frames, {time.process_time() - start:.0f} s of one core"
    return [
        Gate("a", f"R2 of quality, {budget}", quality, frame_limit(preset, FRAMES_TEST)),
        Gate("a", "R2 of form, the same network", form, None),
        Gate("a", "R2 of steady motion, the same network", motion, None),
    ]


def first_frames(task: tuple[int, Settings], preset: str) -> tuple[np.ndarray, np.ndarray]:
    """(N, crop, crop) uint8 grey pictures of the clips of one small data set, and (N, 3) quality, form and motion."""
    cells = _cells(task, preset, FRAMES_CHUNK)
    settings = get_preset(preset).look.camera(task[1])
    targets = np.array([(c.quality.q, c.quality.form, c.quality.motion) for c in cells], np.float32)
    return np.stack([_first(cell, settings) for cell in cells]), targets


def _first(cell: Cell, settings: Settings) -> np.ndarray:
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
    guess = learn(network, pictures[:, None], targets, train, seed, loss=nn.functional.mse_loss, epochs=FRAMES_EPOCHS)
    return list(map(float, 1 - ((guess - targets[train:]) ** 2).mean(0) / targets[train:].var(0)))


def clip_gates(base: str, seed: int, settings: Settings, workers: int) -> list[Gate]:
    """Accuracy of a network on the first half, the second half and the whole of clips it has not seen."""
    small = replace(settings, size=SIZE, um_per_px=settings.view / SIZE, colour=False)
    sets = (CLIPS_TRAIN + CLIPS_TEST) // CLIPS_CHUNK
    pictures, sign, middle = _small_sets(partial(lag_clips, base=base), f"filming lag{LAG}", sets, seed, small, workers)
    return [_clip_gate(name, part, sign, seed) for name, part in halves(pictures, middle).items()]


def halves(pictures_NTHW: np.ndarray, middle_N: np.ndarray) -> dict[str, np.ndarray]:
    """The whole clips, and what is left of them with the frames of the other half blank."""
    early = (np.arange(pictures_NTHW.shape[1]) < middle_N[:, None])[..., None, None]
    blank = pictures_NTHW.mean((1, 2, 3), keepdims=True).round().astype(np.uint8)
    return {
        "the whole clip": pictures_NTHW,
        "the first half": np.where(early, pictures_NTHW, blank),
        "the second half": np.where(early, blank, pictures_NTHW),
    }


def lag_clips(task: tuple[int, Settings], base: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, T, H, W) uint8 of a small data set, the labels (N,), and (N,) the first frame of the second half."""
    preset = lag_preset(base, LAG)
    cells, settings = _cells(task, preset.name, CLIPS_CHUNK), preset.look.camera(task[1])
    pictures = np.stack([film(cell, settings)[0][..., 0] for cell in cells])
    sign = np.array([cell.event.sign > 0 for cell in cells])
    first = np.array([round(cell.event.first * settings.frame_rate) for cell in cells])
    return pictures, sign, first + LAG // 2


def _clip_gate(name: str, pictures: np.ndarray, sign: np.ndarray, seed: int) -> Gate:
    from torch import nn

    def loss(output, target):
        return nn.functional.binary_cross_entropy_with_logits(output[:, 0], target)

    start = time.process_time()
    output = learn(over_frames, pictures, sign, CLIPS_TRAIN, seed, loss=loss, epochs=CLIPS_EPOCHS[name])[:, 0]
    seconds = time.process_time() - start
    what = f"lag{LAG}: accuracy of a network on the pixels of {name} ({CLIPS_TRAIN} clips, {seconds:.0f} s of one core)"
    return Gate("c", what, float(((output > 0) == sign[CLIPS_TRAIN:]).mean()), None)


def over_frames():
    """A network that gives (B, 1) for clips (B, T, H, W) of any T."""
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


def convolutions(channels: tuple[int, ...], strides: tuple[int, ...]):
    """3 x 3 convolutions of one-channel pictures, each with batch norm and ReLU, and at last the largest of each
    feature over all places."""
    from torch import nn

    layers = []
    for inside, outside, stride in zip((1, *channels[:-1]), channels, strides, strict=True):
        layers += [nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten())


def learn(
    make: Callable, inputs: np.ndarray, targets: np.ndarray, train: int, seed: int, *, loss: Callable, epochs: int
) -> np.ndarray:
    """What a network, from `make()`, says of the inputs after the first `train`, on which it is trained.

    inputs: (N, .., H, W) uint8; each is brought to mean 0, and each batch is flipped and turned by quarters.
    loss: of outputs and targets. AdamW with one cycle of the learning rate up to 2e-3.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    x, y = torch.as_tensor(inputs), torch.as_tensor(targets, dtype=torch.float32)
    net = make()
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=epochs * -(-train // BATCH))
    for _ in tqdm(range(epochs), "training a probe", unit="epoch", disable=None):
        for batch in torch.randperm(train).split(BATCH):
            flip, turns = torch.randint(2, ()).item(), torch.randint(4, ()).item()
            seen = _normalised(x[batch])
            error = loss(net(torch.rot90(seen.flip(-1) if flip else seen, turns, (-2, -1))), y[batch])
            optimiser.zero_grad()
            error.backward()
            optimiser.step()
            schedule.step()
    net.eval()
    with torch.no_grad():
        outputs = torch.cat([net(_normalised(part)) for part in x[train:].split(BATCH)])
    torch.set_num_threads(threads)
    return outputs.numpy()


def _normalised(inputs):
    """A clip's or a picture's mean is taken off; 20 grey levels are 1."""
    inputs = inputs.float()
    return (inputs - inputs.flatten(1).mean(1).view(-1, *[1] * (inputs.ndim - 1))) / 20


def _small_sets(make: Callable, doing: str, sets: int, seed: int, settings: Settings, workers: int) -> list[np.ndarray]:
    """The arrays that `make((seed, settings))` gives, of so many data sets, each of a seed of its own, end to end."""
    tasks = [(10**6 * (seed + 1) + i, settings) for i in range(sets)]
    parts = list(tqdm(in_processes(make, tasks, workers), doing, len(tasks), disable=None))
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def _cells(task: tuple[int, Settings], preset_name: str, number: int) -> list[Cell]:
    seed, settings = task
    preset = get_preset(preset_name)
    panel = make_panel(seed, preset)
    return [draw_cell(seed, index, settings, preset, panel) for index in range(number)]
