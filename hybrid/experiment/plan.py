"""What a set of ablations comes to before any of it is trained: arms, runs, and the time they will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from omegaconf import DictConfig
from tqdm import tqdm

from hybrid.display.tables import Column, Table, as_terminal, clock
from hybrid.evaluation.ablation import Ablation, Arm, arms_of
from hybrid.experiment.estimate import measured_seconds, seconds_of_finished_runs
from hybrid.experiment.sweep import of_run
from hybrid.folders import ExperimentFolder, experiment_folder, run_folder


@dataclass(frozen=True)
class Job:
    """A run of an arm: its configuration, and the words that make it."""

    arm: Arm
    words: tuple[str, ...]
    config: DictConfig

    @classmethod
    def of(cls, arm: Arm, config: DictConfig, repeat: int, fold: int) -> Job:
        """config: of any run of the arm."""
        words = (*arm.settings, f"arm={arm.label}", f"repeat={repeat}", f"fold={fold}")
        return cls(arm, words, of_run(config, repeat, fold))

    @property
    def done(self) -> bool:
        return run_folder(self.config).done


@dataclass(frozen=True)
class Plan:
    """arms: a row an arm, in the order they are trained: arm, settings, asked_by, runs, done, seconds (of one run),
    source (of that figure).

    at_a_time: runs, as far as the launcher says.
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
                "settings": " ".join(runs[0].arm.settings).replace("++", ""),
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
    total = f"{len(plan.arms)} arms, {plan.arms['runs'].sum()} runs, {plan.runs_left} of them to do"
    if plan.runs_left:
        end = (now or datetime.now()) + timedelta(seconds=plan.seconds_left)
        total += f": about {clock(plan.seconds_left)}, {plan.at_a_time} at a time, until {end:%a %d %b %H:%M}"
    return "\n".join(["", as_terminal(Table("plan", "", plan.arms, columns)), "", f"{plan.folder.path}: {total}"])
