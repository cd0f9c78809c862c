"""Distributions out of a model, batch by batch."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import nn

from hybrid.data.loader import InMemoryClips, evaluation_batches
from hybrid.device import Machine


def predict_distributions(
    model: nn.Module, clips: InMemoryClips, numbers: np.ndarray, batch_size: int, machine: Machine
) -> tuple[np.ndarray, float]:
    """The distributions (N, K) of the clips with these numbers, and the seconds a clip the model took.

    The model is put in eval mode on the machine's device and left there.
    """
    model.to(machine.device).eval()
    clips.to(machine.device)
    distributions, seconds = [], 0.0
    for (clips_B,) in evaluation_batches(numbers, batch_size):
        clip_BCTHW = clips.batch(clips_B, machine.device)
        started = time.perf_counter()
        with torch.inference_mode(), machine.autocast():
            dist_BK = model(clip_BCTHW).float().softmax(-1).cpu()
        seconds += time.perf_counter() - started
        distributions.append(dist_BK)
    return torch.cat(distributions).numpy(), seconds / len(numbers)
