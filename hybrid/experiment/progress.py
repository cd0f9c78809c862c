"""How far an experiment is, and the time left.

What is done is read from the experiment's folder, so that it is right whoever ran the other runs.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field

from tqdm import tqdm

from hybrid.experiment.folder import ExperimentFolder, RunFolder
from hybrid.files import read_json, write_json


@dataclass
class Progress:
    """The runs that are wanted, in order, and when (seconds since 1970) the wanting began."""

    runs: list[RunFolder]
    started: float = field(default_factory=time.time)

    def write(self, folder: ExperimentFolder) -> None:
        """Let runs in other processes and on other machines know."""
        labels = [run.label for run in self.runs]
        write_json(folder.plan, {"started": self.started, "runs": labels})

    @classmethod
    def read(cls, folder: ExperimentFolder) -> Progress:
        plan = read_json(folder.plan)
        return cls([RunFolder(folder.path / label) for label in plan["runs"]], plan["started"])

    def pending(self) -> list[RunFolder]:
        return [run for run in self.runs if not run.done and not run.error.exists()]

    def position(self) -> int:
        return len(self.runs) - len(self.pending())

    def seconds_left(
        self, current: RunFolder | None = None, share_done: float = 0.0, spent: float = 0.0
    ) -> float | None:
        """Seconds until every pending run is done, by what finished runs of the same model took; None: unknown yet.

        share_done, spent: how far the current run is, and the seconds it took to get there.
        """
        durations, since_start = defaultdict(list), 0.0
        for run in self.runs:
            if run.done:
                seconds = read_json(run.result)["seconds"]
                durations[run.model_name].append(seconds)
                since_start += seconds if run.result.stat().st_mtime > self.started else 0.0
        if share_done > 0 and current is not None:
            durations[current.model_name].append(spent / share_done)
        if not durations:
            return None
        means = {model: sum(values) / len(values) for model, values in durations.items()}
        typical = sum(means.values()) / len(means)
        left = sum(means.get(run.model_name, typical) for run in self.pending()) - spent
        side_by_side = max(1, round(since_start / max(1e-3, time.time() - self.started)))
        return max(0.0, left / side_by_side)


def clock(seconds: float | None) -> str:
    """'1:02:03' or '2:03'; '?' where unknown."""
    return "?" if seconds is None else tqdm.format_interval(seconds)
