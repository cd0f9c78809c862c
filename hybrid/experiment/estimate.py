"""How long a run will take: as long as the arm's finished runs, or as steps measured on this machine say."""

from __future__ import annotations

from statistics import mean

from hybrid.config import TrainConfig
from hybrid.folders import ExperimentFolder

START = 10.0
"""seconds until a run's first step, on a machine that is slow to import"""
MOST_CLIPS = 8
"""of a measured step on a CPU, where the time of a clip hardly depends on the size of the batch"""


def seconds_of_finished_runs(folder: ExperimentFolder, arm: str) -> float | None:
    seconds = [run.read_result()["seconds"] for run in folder.done_runs() if run.arm == arm]
    return mean(seconds) if seconds else None


def measured_seconds(config: TrainConfig, num_clips: int, num_grades: int) -> float:
    """Of one run of the configured model, from one training step and one inference after a warm-up of one each."""
    import torch

    from hybrid.device import choose_machine
    from hybrid.profiling.timing import time_inference, time_training_step
    from hybrid.training.build import build_model

    protocol, model = config.protocol, config.model
    machine = choose_machine(config.accelerator, protocol.precision)
    cpu = machine.device.type == "cpu"
    if config.threads and cpu:
        torch.set_num_threads(config.threads)
    clips = min(protocol.batch_size, MOST_CLIPS) if cpu else protocol.batch_size
    shape = (clips, config.data.channels, model.num_frames, protocol.crop_size, protocol.crop_size)
    clip_BCTHW = torch.rand(shape, device=machine.device)
    net = machine.to_channels_last(build_model(config, num_grades)).to(machine.device)
    with machine.autocast():
        train = time_training_step(net, clip_BCTHW, repetitions=1, warm_up=1)
        test = time_inference(net, clip_BCTHW, repetitions=1, warm_up=1)
    test_clips = num_clips / protocol.num_folds
    return START + protocol.epochs * (train * (num_clips - test_clips) + test * test_clips)
