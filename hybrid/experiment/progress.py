"""How far all runs of an experiment are, and the time left.

What is done is read from the experiment's folder, so that it is right whoever ran the other runs.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field

from tqdm import tqdm

from hybrid.experiment.folder import RunFolder
from hybrid.files import read_json


@dataclass
class Progress:
    """The runs that are wanted, in order."""

    runs: list[RunFolder]
    failed: set[str] = field(default_factory=set)
    started: float = field(default_factory=time.perf_counter)

    def pending(self) -> list[RunFolder]:
        return [run for run in self.runs if not run.done and run.label not in self.failed]

    def seconds_left(
        self, current: RunFolder | None = None, share_done: float = 0.0, spent: float = 0.0
    ) -> float | None:
        """Seconds until every pending run is done, by what finished runs of the same model took; None: unknown yet.

        share_done, spent: how far the current run is, and the seconds it took to get there.
        """
        durations = defaultdict(list)
        for run in self.runs:
            if run.done:
                durations[run.path.parent.name].append(read_json(run.result)["seconds"])
        if share_done > 0 and current is not None:
            durations[current.path.parent.name].append(spent / share_done)
        if not durations:
            return None
        means = {model: sum(values) / len(values) for model, values in durations.items()}
        typical = sum(means.values()) / len(means)
        left = sum(means.get(run.path.parent.name, typical) for run in self.pending())
        return max(0.0, left - spent)

    def position(self) -> int:
        return len(self.runs) - len(self.pending())


def clock(seconds: float | None) -> str:
    """'1:02:03' or '2:03'; '?' where unknown."""
    return "?" if seconds is None else tqdm.format_interval(seconds)
