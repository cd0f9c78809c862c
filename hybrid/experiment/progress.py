"""How far the runs of an experiment are, and the time left: read from its folder, whoever does the runs."""

import contextlib
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tqdm import tqdm

from hybrid.display.clock import clock
from hybrid.files import read_json
from hybrid.folders import RunFolder

EVERY = 1.0
"""seconds between two looks at the folder"""


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
            run: run.epochs
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


@contextmanager
def monitored(progress: Progress) -> Iterator[None]:
    """Watch the experiment's folder from a thread of its own while the runs are done."""
    stop, told = threading.Event(), set(progress.runs) - set(progress.pending())
    thread = threading.Thread(target=_watch, args=(progress, told, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _watch(progress: Progress, told: set[RunFolder], stop: threading.Event) -> None:
    line = tqdm(total=len(progress.runs), initial=len(told), disable=None, leave=False, bar_format="{desc}")
    while True:
        last = stop.is_set()  # before looking, so that nothing that came before it is missed
        for run in progress.runs:
            if run not in told and (run.done or run.error.exists()):
                told.add(run)
                with contextlib.suppress(OSError):  # of `| head`, which has read enough, or of a terminal that is gone
                    tqdm.write(f"[{len(told)}/{len(progress.runs)}] {describe(run)}", file=sys.stdout)
                    sys.stdout.flush()
        if last:
            line.close()
            return
        line.set_description_str(live_line(progress, len(told)))
        stop.wait(EVERY)


def live_line(progress: Progress, finished: int) -> str:
    """'3 of 20 runs done; slowfast/repeat0-fold1 epoch 2/8; elapsed 01:10, left 05:30'."""
    now = [f"{run.label} epoch {epochs}/{progress.epochs}" for run, epochs in progress.under_way().items()]
    times = f"elapsed {clock(time.time() - progress.started)}, left {clock(progress.seconds_left())}"
    return "; ".join([f"{finished} of {len(progress.runs)} runs done", *now[:4], times])


def describe(run: RunFolder) -> str:
    """A finished run in a line."""
    if run.done:
        result = read_json(run.result)
        return f"{run.label:26} MSE {100 * result['metrics']['mse']:.2f} x 10^-2   took {clock(result['seconds'])}"
    return f"{run.label:26} FAILED: {why(run)}"


def why(run: RunFolder) -> str:
    """A failed run's error in a line: the first of our own words, the last of a traceback."""
    if not run.error.exists():
        return "did not finish"
    lines = run.error.read_text(encoding="utf-8").strip().splitlines()
    if lines[0].startswith("Traceback"):
        return lines[-1]
    return " ".join(line.strip() for line in lines[:2]) if lines[0].endswith(":") else lines[0]
