"""Gate (c): in the lag sets the label is in the relation of two moments and in neither of them.

Two kinds of evidence. With the true latent features (side, time and strength of each bend, and the beat) random trees
learn the label from both moments, and nothing from one. A small recurrent network, trained on what each frame shows
(the head's turn and the tail's sideways lean, a number each, exposure averaged), does so from both halves of a clip
and not from either alone.
"""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import GroupKFold, cross_val_predict
from tqdm import tqdm

from hybrid.simulator.checks.gates import Gate
from hybrid.simulator.clip import NUM_DONORS, Cell, draw_cell, generator, make_panel
from hybrid.simulator.dataset import in_processes
from hybrid.simulator.presets import LAGS, Preset, get_preset
from hybrid.simulator.render import exposure_times
from hybrid.simulator.settings import Settings
from hybrid.simulator.swim import swim

EPOCHS = 40


def lag_preset(base: str, lag: int) -> Preset:
    """The lag preset whose clips look as those of `base`, standard or clinic."""
    return get_preset(f"lag{lag}" if base == "clinic" else f"{base}_lag{lag}")


def lag_gates(base: str, num_clips: int, seed: int, settings: Settings, workers: int) -> list[Gate]:
    """Gate (c) for each lag preset of the look of `base`."""
    gates = []
    for lag in LAGS:
        chunk = 64
        tasks = [(seed, range(i, min(i + chunk, num_clips)), settings, base, lag) for i in range(0, num_clips, chunk)]
        parts = list(tqdm(in_processes(_draw, tasks, workers), f"drawing lag{lag}", len(tasks), disable=None))
        sign, latents, seen, first = (np.concatenate([part[i] for part in parts]) for i in range(4))
        gates += _latent_gates(lag, sign, latents) + _trained_gates(lag, sign, seen, first, seed)
    return gates


def _latent_gates(lag, sign, latents) -> list[Gate]:
    beat, one, two = latents[:, :5], latents[:, 5:7], latents[:, 7:9]
    return [
        Gate("c", f"lag{lag}: R2 of the label from {name}, true latent features", _forest(features, sign), limit)
        for name, features, limit in (
            ("the first moment", np.concatenate([beat, one], 1), NOTHING),
            ("the second moment", np.concatenate([beat, two], 1), NOTHING),
            ("the two together", np.concatenate([beat, one, two], 1), (0.9, 1.0)),
        )
    ]


def _forest(features, sign) -> float:
    """Out-of-fold R^2 of random trees, which find a relation that no feature shows a trace of by itself."""
    model = ExtraTreesRegressor(200, min_samples_leaf=2, max_features=0.5, random_state=0)
    predicted = cross_val_predict(model, features, sign, groups=np.arange(len(sign)) % NUM_DONORS, cv=GroupKFold(5))
    return float(1 - np.mean((sign - predicted) ** 2) / np.var(sign))


def _trained_gates(lag, sign, seen, first, seed) -> list[Gate]:
    middle = first + lag // 2
    early = np.arange(seen.shape[1]) < middle[:, None]
    late = seen.copy()
    late[np.arange(len(seen)), middle, 0] = 0  # a turn since a frame of the other half
    chance = (0.0, 0.5 + 2.6 * 0.5 / np.sqrt(len(sign) / 4))  # but one time in 200, by the luck of the test clips
    return [
        Gate("c", f"lag{lag}: accuracy of a trained net on {name}", _train(x, sign, seed), limit)
        for name, x, limit in (
            ("the first half", seen * early[..., None], chance), ("the second half", late * ~early[..., None], chance),
            ("the whole clip", seen, (0.75, 1.0)),
        )
    ]  # fmt: skip


NOTHING = (-np.inf, 0.02)


def _draw(task):
    seed, indices, settings, base, lag = task
    preset = lag_preset(base, lag)
    settings = preset.look.camera(settings)
    panel = make_panel(seed, preset)
    cells = [draw_cell(seed, index, settings, preset, panel) for index in indices]
    sign = np.array([cell.event.sign for cell in cells], float)
    latents = np.array([
        (c.beat.frequency, c.beat.amplitude, c.beat.bend, c.beat.roll_hz, c.beat.phase,
         c.event.side, c.event.first, c.event.second_side, c.event.second) for c in cells
    ])  # fmt: skip
    first = np.array([round(cell.event.first * settings.frame_rate) for cell in cells])
    return sign, latents, np.stack([_visible(cell, settings) for cell in cells]), first


def _visible(cell: Cell, settings: Settings) -> np.ndarray:
    """(T, 2) what a frame shows: the head's turn since the frame before, and how far the tail leans to one side."""
    rng = generator(cell.seed, "scene", cell.index)
    path = swim(
        cell.beat, cell.form.length, cell.form.width, -settings.exposure, settings.duration, 0.0, cell.event, rng
    )
    times = exposure_times(settings)
    heading = path.at(times)[1].mean(1)
    tail = path.tail_at(times.ravel(), 20).reshape(*times.shape, 20, 2).mean(1)
    lean = tail[..., 1].mean(1) / 10
    return np.stack([np.diff(heading, prepend=heading[0]), lean], -1)


def _train(seen_NTD: np.ndarray, sign_N: np.ndarray, seed: int, epochs: int = EPOCHS) -> float:
    """Accuracy on the last quarter of the clips of a recurrent network trained on the others."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    x = torch.as_tensor(seen_NTD, dtype=torch.float32)
    y = torch.as_tensor(sign_N > 0, dtype=torch.float32)
    split = len(x) * 3 // 4
    body, head = nn.GRU(x.shape[-1], 32, batch_first=True), nn.Linear(32, 1)
    optimiser = torch.optim.Adam([*body.parameters(), *head.parameters()], 5e-3)
    for _ in range(epochs):
        for batch in torch.randperm(split).split(64):
            loss = nn.functional.binary_cross_entropy_with_logits(head(body(x[batch])[0].mean(1))[:, 0], y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        right = (head(body(x[split:])[0].mean(1))[:, 0] > 0) == (y[split:] > 0.5)
    torch.set_num_threads(threads)
    return float(right.float().mean())
