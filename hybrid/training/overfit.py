"""Whether a model can learn at all: a handful of clips by heart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from hybrid import create_model, get_entry
from hybrid.config import RecipeConfig
from hybrid.data.loader import as_input
from hybrid.data.transforms import Normalisation
from hybrid.device import choose_machine
from hybrid.training.losses import mse

LIMIT = 5e-4
"""of the mean squared error; the noise of a panel of forty is six times as much"""
LOOK_EVERY = 25
"""steps"""


def overfit(
    name: str,
    frames_NTHWC: np.ndarray,
    targets_NK: np.ndarray,
    recipe: RecipeConfig,
    max_steps: int,
    seed: int = 0,
    watch: Callable[[int, float], object] = lambda step, error: None,
) -> tuple[int, float]:
    """Train the tiny model on all clips at once: (steps, error in eval) as soon as that is below LIMIT, or at the end.

    The rate is the recipe's for fresh weights and stays the same; nothing is augmented.
    """
    entry, machine = get_entry(name), choose_machine("cpu", "32-true")
    torch.manual_seed(seed)
    _, frames, side, _, channels = frames_NTHWC.shape
    model = create_model(
        name, "tiny", num_grades=targets_NK.shape[1], num_frames=frames, crop_size=side, in_channels=channels
    )
    machine.to_channels_last(model)
    clip_BCTHW = as_input(torch.from_numpy(frames_NTHWC), Normalisation(entry.mean, entry.std, "clip"))
    target_BK = torch.as_tensor(targets_NK)
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    error = float("inf")
    for step in range(1, max_steps + 1):
        _, losses = model.train().grade_loss(clip_BCTHW, target_BK, mse)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_gradient)
        optimiser.step()
        if step % LOOK_EVERY == 0 or step == max_steps:
            error = _error(model, clip_BCTHW, target_BK)
            watch(step, error)
            if error < LIMIT:
                break
    return step, error


@torch.inference_mode()
def _error(model: torch.nn.Module, clip_BCTHW: Tensor, target_BK: Tensor) -> float:
    return float(mse(model.eval()(clip_BCTHW), target_BK))
