"""How far the runs of an experiment are, and the time left: read from its folder, whoever does the runs."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field

from hybrid.files import read_json
from hybrid.folders import RunFolder


@dataclass
class Progress:
    """The runs that are wanted, in order, the epochs each has, and when (seconds since 1970) the wanting began."""

    runs: list[RunFolder]
    epochs: int
    started: float = field(default_factory=time.time)

    def pending(self) -> list[RunFolder]:
        return [run for run in self.runs if not run.done and not run.error.exists()]

    def under_way(self) -> dict[RunFolder, int]:
        """The pending runs that have begun to train since the start, with the epochs they have behind them."""
        return {
            run: len(run.metrics.read_text(encoding="utf-8").splitlines()) - 1
            for run in self.pending()
            if run.metrics.exists() and run.metrics.stat().st_mtime > self.started
        }

    def seconds_left(self) -> float | None:
        """Until every pending run is done, by what finished runs of the same arm took; None: unknown yet."""
        durations, since_start = defaultdict(list), 0.0
        for run in self.runs:
            if run.done:
                seconds = read_json(run.result)["seconds"]
                durations[run.arm].append(seconds)
                since_start += seconds if run.result.stat().st_mtime > self.started else 0.0
        if not durations:
            return None
        means = {arm: sum(values) / len(values) for arm, values in durations.items()}
        typical = sum(means.values()) / len(means)
        under_way = self.under_way()
        left = sum(means.get(run.arm, typical) * (1 - under_way.get(run, 0) / self.epochs) for run in self.pending())
        side_by_side = max(1, round(since_start / max(1e-3, time.time() - self.started)))
        return left / side_by_side
