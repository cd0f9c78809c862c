"""Feed the programs what is damaged or wrong, and see that each case ends well.

    python tests/harness/bad_input.py                                # 2,650 cases, in two or three minutes on 2 cores
    python tests/harness/bad_input.py --only videos --cases 200 --seed 7

Cases: videos of 8 containers, cut and with bytes damaged, read as a clip, as a field and as a rating page's film;
tables of labels, ratings, groups, folds, donors, tokens and boxes; settings of any value; pickles, checkpoints and run
folders (tests/harness/damage.py makes them). Each calls, in a worker process, what the tools call. It must end in
success or in one message that names the file, within --seconds, and take no more than 1 GiB of memory at any moment.
Printed are the cases of each kind, how many were refused, and every fault with the shortest case that shows it. Exit
status: 1 where there is a fault.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

GIB = 2**30
MOST_GROWTH = 1 * GIB
ROOM = 4 * GIB
"""of addresses that a worker may take beyond its own, so that a case cannot take the whole machine"""
JOB = 50
"""cases that a worker gets at a time"""
OURS = ("/hybrid/", "/baselines/")
Job = tuple[str, int, range]
"""kind, seed, numbers of its cases"""


def verdict(mentions: Sequence[str], act: Callable[[], Any]) -> tuple[str, str]:
    """('' or 'refused' or a kind of fault, more about it) of one case."""
    from hybrid.errors import UserError

    before, printed, said = _memory("VmRSS"), io.StringIO(), ""
    _forget_peak()
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(record=True) as warned,
        ):
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", RuntimeWarning)
            act()
        ending = ""
    except UserError as error:
        ending, said = "refused", str(error)
        if not any(mention in said for mention in mentions):
            ending = "message names nothing of the case"
    except Exception as error:
        steps = [
            step for step in traceback.extract_tb(error.__traceback__) if any(room in step.filename for room in OURS)
        ]
        place = f"{Path(steps[-1].filename).name}:{steps[-1].name}" if steps else "elsewhere"
        ending, said = f"{type(error).__name__} in {place}", "".join(traceback.format_exception(error)[-6:])
    if "Traceback" in said + printed.getvalue() and ending in ("", "refused"):
        ending, said = "a traceback is printed", said + printed.getvalue()
    if warned and ending in ("", "refused"):
        ending, said = "a warning of Python's", f"{warned[0].message} ({warned[0].filename}:{warned[0].lineno})"
    if (growth := _memory("VmHWM") - before) > MOST_GROWTH:
        ending, said = "takes too much memory", f"{growth / GIB:.1f} GiB; {ending}: {said}"
    return ending, said


def _memory(what: str) -> int:
    """Bytes, of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def in_here(kind: str, folder: Path, numbers: range, seed: int = 0) -> list[tuple[str, str, str]]:
    """(case, ending, more) of some cases of a kind, done in this process."""
    from harness.damage import KINDS

    found = []
    KINDS[kind][0](folder, seed, numbers, lambda name, mentions, act: found.append((name, *verdict(mentions, act))))
    return found


def work(pipe: Connection) -> None:
    """A worker: jobs come in, and each case is told when it begins and when it has ended."""
    from harness.damage import KINDS

    from hybrid.data.cache import CACHE_VARIABLE

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # is for the one that tells what was found
    resource.setrlimit(resource.RLIMIT_AS, (_memory("VmSize") + ROOM, resource.RLIM_INFINITY))

    def check(name: str, mentions: Sequence[str], act: Callable[[], Any]) -> None:
        pipe.send(("begins", name))
        pipe.send(("ended", name, *verdict(mentions, act)))

    pipe.send(("ready",))
    while (job := pipe.recv()) is not None:
        kind, seed, numbers = job
        with tempfile.TemporaryDirectory() as folder:
            os.environ[CACHE_VARIABLE] = str(Path(folder) / "cache")
            try:
                KINDS[kind][0](Path(folder), seed, numbers, check)
            except Exception:
                pipe.send(("ended", f"making cases of {kind}", "the harness failed", traceback.format_exc()))
        pipe.send(("ready",))


class Worker:
    """A process and what it is doing."""

    def __init__(self):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(target=work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.case, self.since = "", time.monotonic()

    def stop(self) -> None:
        if self.job is None and self.process.is_alive():
            self.pipe.send(None)
            self.process.join(10)
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Tally:
    """What came of the cases, by kind."""

    def __init__(self):
        self.cases: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.faults: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)

    def add(self, kind: str, case: str, ending: str, more: str) -> None:
        self.cases[kind] += 1
        if ending == "refused":
            self.refused[kind] += 1
        elif ending:
            self.faults[kind, ending].append((case, more))

    def told(self) -> str:
        lines = [f"{'kind':<12} {'cases':>6} {'done':>6} {'refused':>8} {'faults':>7}"]
        for kind in [*self.cases, "all"]:
            number, refused, faults = (
                sum(count for of, count in counts if kind in (of, "all"))
                for counts in (
                    self.cases.items(),
                    self.refused.items(),
                    [(of, len(cases)) for (of, _), cases in self.faults.items()],
                )
            )
            lines.append(f"{kind:<12} {number:>6} {number - refused - faults:>6} {refused:>8} {faults:>7}")
        for (kind, ending), cases in self.faults.items():
            case, more = min(cases, key=lambda found: len(found[0]))
            lines += [
                "",
                f"{kind}: {ending} ({len(cases)} cases), as in: {case}",
                *(f"    {line}" for line in more.strip().splitlines()[-12:]),
            ]
        return "\n".join(lines)


def explore(jobs: list[Job], workers: int, seconds: float) -> Tally:
    """Interrupted, it tells what it has found so far."""
    tally, team = Tally(), [Worker() for _ in range(workers)]
    with contextlib.suppress(KeyboardInterrupt):
        _work_off(jobs, tally, team, seconds)
    for worker in team:
        worker.stop()
    return tally


def _work_off(jobs: list[Job], tally: Tally, team: list[Worker], seconds: float) -> None:
    while jobs or any(worker.job for worker in team):
        multiprocessing.connection.wait([worker.pipe for worker in team], timeout=1)
        for place, worker in enumerate(team):
            try:
                while worker.pipe.poll():
                    what, *more = worker.pipe.recv()
                    worker.since, worker.case = time.monotonic(), more[0] if what == "begins" else ""
                    if what == "ended":
                        tally.add(worker.job[0], *more)
                    elif what == "ready":
                        worker.job = jobs.pop(0) if jobs else None
                        if worker.job:
                            worker.pipe.send(worker.job)
                            print(f"{tally.cases.total()} cases, {len(jobs)} jobs to go", file=sys.stderr, flush=True)
                ending = "does not end" if worker.case and time.monotonic() - worker.since > seconds else ""
            except EOFError:
                ending = f"kills the process (status {worker.process.exitcode})"
            if ending:  # the rest of its job is lost, and told by the number of cases
                tally.add(worker.job[0], worker.case or str(worker.job), ending, f"job {worker.job}")
                worker.stop()
                team[place] = Worker()


def main() -> int:
    from harness.damage import KINDS

    total = sum(number for _, number in KINDS.values())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=total, help="in all (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=tuple(KINDS), help="of these kinds")
    parser.add_argument("--seed", type=int, default=0, help="other cases (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="that a case may take (default: %(default)g)")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="(default: %(default)s)")
    options = parser.parse_args()
    kinds = {kind: number for kind, (_, number) in KINDS.items() if kind in (options.only or KINDS)}
    jobs = []
    for kind, number in kinds.items():
        cases = range(round(number * options.cases / sum(kinds.values())))
        jobs += [(kind, options.seed, cases[first : first + JOB]) for first in cases[::JOB]]
    tally = explore(jobs, options.workers, options.seconds)
    print(tally.told())
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
