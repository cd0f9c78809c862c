"""What a set of ablations comes to before any of it is trained: arms, runs, and the time they will take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean
from typing import Self

import pandas as pd
from omegaconf import DictConfig
from tqdm import tqdm

from hybrid.config import TrainConfig
from hybrid.display.clock import clock
from hybrid.display.tables import Column, Table, as_terminal, counted
from hybrid.evaluation.ablation import Ablation, Arm, arms_of
from hybrid.experiment.hydra_jobs import of_run
from hybrid.folders import ExperimentFolder, experiment_folder, run_folder

START = 10.0
"""seconds until a run's first step, on a machine that is slow to import"""
MOST_CLIPS = 8
"""of a measured step on a CPU, where the time of a clip hardly depends on the size of the batch"""


@dataclass(frozen=True)
class Job:
    """A run of an arm."""

    arm: Arm
    config: DictConfig

    @classmethod
    def of(cls, arm: Arm, config: DictConfig, repeat: int, fold: int) -> Self:
        """config: of any run of the arm."""
        return cls(arm, of_run(config, repeat, fold))

    @property
    def done(self) -> bool:
        return run_folder(self.config).done


@dataclass(frozen=True)
class Plan:
    """arms: a row an arm, in the order they are trained: arm, settings, asked_by, runs, done, seconds (of one run),
    source (of that figure).

    at_a_time: runs, as far as the launcher says. A run's seconds hold its start, and not the report after the last.
    """

    folder: ExperimentFolder
    arms: pd.DataFrame
    at_a_time: int

    @property
    def runs_left(self) -> int:
        return int((self.arms["runs"] - self.arms["done"]).sum())

    @property
    def seconds_left(self) -> float:
        return float(((self.arms["runs"] - self.arms["done"]) * self.arms["seconds"]).sum()) / self.at_a_time


def make_plan(
    ablations: Sequence[Ablation], jobs: Sequence[Job], num_clips: int, num_grades: int, at_a_time: int
) -> Plan:
    """An arm without a finished run has a step of it measured, which takes a second or more."""
    folder = experiment_folder(jobs[0].config)
    of_arm: dict[str, list[Job]] = {}
    for job in jobs:
        of_arm.setdefault(job.arm.label, []).append(job)
    rows = []
    for label, runs in tqdm(of_arm.items(), desc="measuring steps", unit="arm", disable=None, leave=False):
        seconds, source = seconds_of_finished_runs(folder, label), "finished runs"
        if seconds is None:
            seconds, source = measured_seconds(runs[0].config, num_clips, num_grades), "a measured step"
        rows.append(
            {
                "arm": label,
                "settings": " ".join(runs[0].arm.settings),
                "asked_by": ", ".join(a.name for a in ablations if label in [arm.label for arm in arms_of([a])]),
                "runs": len(runs),
                "done": sum(job.done for job in runs),
                "seconds": seconds,
                "source": source,
            }
        )
    return Plan(folder, pd.DataFrame(rows), at_a_time)


def in_words(plan: Plan, now: datetime | None = None) -> str:
    """The plan for a terminal: a line an arm, and what is left."""
    columns = (
        Column("arm", lambda row: row.arm, figure=False),
        Column("settings", lambda row: row.settings or "the default", figure=False),
        Column("ablations", lambda row: row.asked_by if row.asked_by.count(",") < 3 else "many", figure=False),
        Column("runs", lambda row: str(row.runs)),
        Column("done", lambda row: str(row.done)),
        Column("a run", lambda row: clock(row.seconds)),
        Column("known from", lambda row: row.source, figure=False),
    )
    if not any(plan.arms["asked_by"]):  # of no ablation
        columns = (columns[0], *columns[3:])
    table = as_terminal(Table("plan", "", plan.arms, columns))
    arms, runs = counted(len(plan.arms), "arm"), counted(plan.arms["runs"].sum(), "run")
    total = f"{arms}, {runs}, {plan.runs_left} of them to do"
    if plan.runs_left:
        end = (now or datetime.now()) + timedelta(seconds=plan.seconds_left)
        total += f": about {clock(plan.seconds_left)}, {plan.at_a_time} at a time, until {end:%a %d %b %H:%M}"
        total += "; then the report"
    return "\n".join(["", table, "", f"{plan.folder.path}: {total}"])


def seconds_of_finished_runs(folder: ExperimentFolder, arm: str) -> float | None:
    seconds = [run.read_result("seconds")["seconds"] for run in folder.done_runs() if run.arm == arm]
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
