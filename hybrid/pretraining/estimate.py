"""What a pretraining will take, measured in a few seconds before it begins."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from hybrid.display.tables import clock
from hybrid.pretraining.config import PretrainConfig
from hybrid.pretraining.pool import missing, simulate
from hybrid.pretraining.run import GRADES, pretraining_folder, request_of
from hybrid.profiling.latency import time_training_step
from hybrid.simulator.dataset import processors
from hybrid.training.architecture import build_model
from hybrid.training.machine import choose_machine

TRIED = 2
"""clips that are simulated to see how long that takes"""


def estimate(config: PretrainConfig) -> str:
    """A line: how many clips are to be simulated and to be learned from, and how long each will take."""
    folder, workers = pretraining_folder(config), config.data.workers or processors()
    to_simulate = _to_simulate(config)
    simulating = to_simulate * _seconds_to_simulate(config) / workers if to_simulate else 0.0
    training = config.clips * _seconds_to_train(config)
    lines = [
        f"{folder.label}: simulates {to_simulate} clips, about {clock(simulating)} in {workers} processes",
        f"learns from {config.clips}, about {clock(training)} from the beginning",
    ]
    return "; ".join(lines)


def _to_simulate(config: PretrainConfig) -> int:
    if config.data.pool is None:
        return config.clips
    return missing(Path(config.data.root), request_of(config), config.data.pool)


def _seconds_to_simulate(config: PretrainConfig) -> float:
    simulate(request_of(config), 0, 1)  # the first brings the libraries
    start = time.perf_counter()
    simulate(request_of(config), 1, TRIED)
    return (time.perf_counter() - start) / TRIED


def _seconds_to_train(config: PretrainConfig) -> float:
    """A clip, in batches as they will be. Reading the clips and watching held-out ones comes on top."""
    spec, precision = request_of(config).spec, config.protocol.precision
    machine = choose_machine(config.accelerator, precision)
    model = machine.lay_out(build_model(config, GRADES)).to(machine.device)
    shape = (config.protocol.batch_size, spec.channels, spec.num_frames, spec.side, spec.side)
    with machine.autocast():
        return time_training_step(model, torch.zeros(shape, device=machine.device), repetitions=2, warm_up=1)
