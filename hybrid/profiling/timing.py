"""Seconds a clip and peak memory, measured: medians of few repetitions after a warm-up."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from statistics import median
from time import perf_counter, process_time
from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss


def time_inference(
    model: nn.Module, clip_BCTHW: Tensor, *, repetitions: int = 5, warm_up: int = 2, clock=perf_counter
) -> float:
    """Median seconds a clip of a forward pass in eval mode, without gradients, on the clips' device.

    Precision is the caller's: run it inside `torch.autocast` to measure that. The model is left in the mode it was in.
    """
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            return seconds_a_clip(lambda: model(clip_BCTHW), clip_BCTHW, repetitions, warm_up, clock)
    finally:
        model.train(was_training)


def time_training_step(
    model: nn.Module, clip_BCTHW: Tensor, *, repetitions: int = 5, warm_up: int = 2, clock=perf_counter
) -> float:
    """Median seconds a clip of forward, MSE to the uniform distribution, backward and an AdamW step, in train mode.

    Works on a copy: the caller's weights and running statistics stay as they are.
    """
    model = deepcopy(model).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)

    def step() -> None:
        dist_BK = model(clip_BCTHW).float().softmax(dim=1)
        mse_loss(dist_BK, torch.full_like(dist_BK, 1 / dist_BK.shape[1])).backward()
        optimizer.step()
        optimizer.zero_grad()

    return seconds_a_clip(step, clip_BCTHW, repetitions, warm_up, clock)


def seconds_a_clip(
    work: Callable[[], object], clip_BCTHW: Tensor, repetitions: int, warm_up: int, clock: Callable[[], float]
) -> float:
    if repetitions < 1 or warm_up < 0:
        raise ValueError(f"repetitions must be 1 or more and warm_up 0 or more, not {repetitions} and {warm_up}")
    seconds = []
    for _ in range(warm_up + repetitions):
        wait_for(clip_BCTHW.device)
        start = clock()
        work()
        wait_for(clip_BCTHW.device)
        seconds.append(clock() - start)
    return median(seconds[warm_up:]) / len(clip_BCTHW)


def wait_for(device: torch.device) -> None:
    """A GPU computes behind Python's back: its clock is read when it is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def busy_clock(device: torch.device) -> Callable[[], float]:
    """Seconds that a CPU spends on this program, whatever else it does; of a GPU those that pass."""
    return process_time if device.type == "cpu" else perf_counter


def matrix_peak(device: torch.device, dtype: torch.dtype, side: int, repetitions: int = 10) -> float:
    """Operations a second of the product of two square matrices: the most that a network could reach there."""
    a, b = torch.randn(2, side, side, device=device, dtype=dtype)
    seconds = seconds_a_clip(lambda: a @ b, a[:1], repetitions, 2, busy_clock(device))
    return 2 * side**3 / seconds


@contextmanager
def peak_memory(device: torch.device) -> Iterator[SimpleNamespace]:
    """gb: what was allocated above what was there before, in 10^9 bytes; None on a device that does not count it.

    Filled when the block ends. Only CUDA counts its tensors; a CPU's are not told apart from anything else.
    """
    peak = SimpleNamespace(gb=None)
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
