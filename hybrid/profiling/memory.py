"""The most memory a GPU holds at once while a model works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class PeakMemory:
    """gb: what was allocated above what was there before, in 10^9 bytes; None on a device that does not count it."""

    gb: float | None = None


@contextmanager
def peak_memory(device: torch.device) -> Iterator[PeakMemory]:
    """Filled when the block ends. Only CUDA counts its tensors; a CPU's are not told apart from anything else."""
    peak = PeakMemory()
    if device.type != "cuda":
        yield peak
        return
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    yield peak
    torch.cuda.synchronize(device)
    peak.gb = (torch.cuda.max_memory_allocated(device) - before) / 1e9


def size_gb(model: torch.nn.Module) -> float:
    """Of parameters and buffers, in 10^9 bytes."""
    return sum(x.numel() * x.element_size() for x in [*model.parameters(), *model.buffers()]) / 1e9
