"""What a benchmark says while its runs are done, here or elsewhere: a line a finished run, and one live line."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from hybrid.display.tables import clock
from hybrid.experiment.progress import Progress
from hybrid.files import read_json
from hybrid.folders import RunFolder

EVERY = 1.0
"""seconds between two looks at the folder"""


@contextmanager
def monitored(progress: Progress) -> Iterator[None]:
    """Watch the experiment's folder from a thread of its own while the runs are done."""
    stop = threading.Event()
    thread = threading.Thread(target=_watch, args=(progress, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _watch(progress: Progress, stop: threading.Event) -> None:
    told = set(progress.runs) - set(progress.pending())
    line = tqdm(total=len(progress.runs), initial=len(told), disable=None, leave=False, bar_format="{desc}")
    while True:
        last = stop.is_set()  # before looking, so that nothing that came before it is missed
        for run in progress.runs:
            if run not in told and (run.done or run.error.exists()):
                told.add(run)
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
    """The last line of a failed run's error."""
    return run.error.read_text(encoding="utf-8").strip().splitlines()[-1] if run.error.exists() else "did not finish"
