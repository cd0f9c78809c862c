"""Kill the programs at random moments, start them again, and see that nothing is lost, doubled or left over.

    python tests/harness/interruption.py                      # all of it, as root, for a small file system of its own
    python tests/harness/interruption.py --only simulation report --kills 4

kills: a benchmark, a simulation, a pretraining and a report, each of seconds, are done once undisturbed, and then
killed (SIGKILL, the whole process group) at moments drawn over the time that takes, and started again each time, until
so many kills have hit. What is there at the end must be what was there undisturbed: the same files, the same bytes but
for times of day and durations, nothing that was done before a kill done again, and no temporary file.
together: two benchmarks started at once on one folder.
full: a benchmark whose disk fills up after its first run, and again with room. readonly: a benchmark and a report of a
folder that may not be written. Each must say so in a message, without a traceback, and leave finished runs as they are.
Programs are forked from this one, which has imported everything, so that kills hit work and not imports; benchmarks do
one run after the other (hydra/launcher=basic). Exit status: 1 where anything is wrong.
"""

import argparse
import contextlib
import hashlib
import os
import random
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

CHANGING = re.compile(r'"(seconds|\w*seconds_per_clip|made_of)": [^,}\n]*|\b\d+(\.\d+)? (ms|s|hours)\b')
"""in a file, what says how long something took"""
TIMED = (
    "metrics.csv",
    "runs.csv",
    "runs.md",
    "runs.tex",
    "table.csv",
    "table.md",
    "table.tex",
    "cost.svg",
    "cost.png",
    ".made.json",
)
"""files that hold times among other things: they must be there, and metrics.csv have each epoch once"""
LEFT = (".tmp", ".partial")


class Program:
    """A tool with its words, in a process of its own."""

    def __init__(self, folder: Path, tool: str, *words: str):
        self.said = folder / f"said-{time.monotonic_ns()}.txt"
        self.started = time.monotonic()
        self.status: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._become(tool, words)
        with contextlib.suppress(OSError):  # here too: on a busy machine it may be killed before it has begun
            os.setpgid(self.pid, self.pid)

    def _become(self, tool: str, words: tuple[str, ...]) -> None:
        status = 1
        try:
            os.setpgid(0, 0)
            with open(self.said, "wb", buffering=0) as file:
                for stream in (1, 2):
                    os.dup2(file.fileno(), stream)
            os.chdir(self.said.parent)
            sys.argv = [f"tools/{tool}.py", *words]
            try:
                runpy.run_path(str(ROOT / "tools" / f"{tool}.py"), run_name="__main__")
                status = 0
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else int(bool(end.code))
            except BaseException:
                import traceback

                traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def ended(self) -> bool:
        """Whether it has, also by itself; then `status` is how."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def wait(self) -> str:
        """What it said, at its end."""
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.said.read_text(errors="replace")

    def kill(self) -> None:
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def contents(folder: Path) -> dict[str, str]:
    """The digest of every file below, without what says where it lies or how long something took; '' of those with
    times inside."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if path.suffix in (".json", ".html"):
            data = CHANGING.sub("", data.decode()).encode()
        data = data.replace(bytes(folder), b"")
        timed = path.name in TIMED or path.suffix == ".html"  # the page shows what the files hold
        found[str(path.relative_to(folder))] = "" if timed else hashlib.sha256(data).hexdigest()[:12]
    return found


class Kind:
    """One of the programs, on a folder: words(folder) -> (tool, words); made(folder): what it makes there."""

    def __init__(self, data: Path):
        smoke = ["protocol=smoke", "logger=disabled", "threads=1"]
        on_data = [*smoke, "data=folder", f"data.root={data}", "protocol.batch_size=4", "protocol.epochs=6"]
        pretrained = [
            *smoke,
            "clips=64",
            "clips_an_epoch=16",
            "data.pool=16",
            "data.grows=16",
            "data.held_out=8",
            "data.workers=1",
        ]
        self.words = {
            "benchmark": ("benchmark", [*on_data, "model=x3d,vit", "hydra/launcher=basic", "experiment=e"]),
            "simulation": ("simulate", ["root=sim", "num_clips=40", "workers=1"]),
            "pretraining": ("pretrain", [*pretrained, "model=x3d", "data.root=pools"]),
            "report": ("report", ["runs/e"]),
        }
        self.finished = data.parent / "finished"
        """a folder with a finished benchmark, which a report is written of"""

    def start(self, name: str, folder: Path) -> Program:
        tool, words = self.words[name]
        return Program(folder, tool, *words)

    def ready(self, name: str, folder: Path) -> Path:
        """An empty folder to start in."""
        shutil.rmtree(folder, ignore_errors=True)
        if name == "report":
            shutil.copytree(self.finished, folder)
            shutil.rmtree(folder / "runs" / "e" / "report")
        else:
            folder.mkdir()
        return folder


def stamps(folder: Path) -> dict[Path, int]:
    """When each run was done."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("result.json")}


def compare(usual: dict[str, str], folder: Path) -> Iterator[str]:
    """What differs from the undisturbed."""
    there = {name: digest for name, digest in contents(folder).items() if not name.startswith("said-")}
    usual = {name: digest for name, digest in usual.items() if not name.startswith("said-")}
    for name in sorted(usual.keys() | there.keys()):
        if name not in there:
            yield f"{name} is missing"
        elif name not in usual:
            yield f"{name} is left over"
        elif usual[name] != there[name]:
            yield f"{name} is another file"
    yield from (f"{path.name} is left over" for path in folder.rglob("*") if path.name.endswith(LEFT))
    for path in folder.rglob("metrics.csv"):
        epochs = [line.split(",")[0] for line in path.read_text().splitlines()[1:]]
        if epochs != sorted(set(epochs), key=int):
            yield f"{path.relative_to(folder)} has epochs {' '.join(epochs)}"


def killed(kind: Kind, name: str, kills: int, place: Path, rng: random.Random) -> Iterator[str]:
    """Faults of one program that is killed so often."""
    whole = kind.ready(name, place / "whole")
    program = kind.start(name, whole)
    said, seconds = program.wait(), time.monotonic() - program.started
    if program.status:
        yield f"undisturbed it fails: {said[-1000:]}"
        return
    usual, hit, starts, folder = contents(whole), 0, 0, kind.ready(name, place / "killed")
    done: dict[Path, int] = {}
    anew, longest = True, seconds
    while hit < kills:
        program, moment = kind.start(name, folder), rng.uniform(0, longest)
        starts += 1
        while not (ended := program.ended()) and time.monotonic() - program.started < moment:
            time.sleep(0.002)
        if not ended:
            program.kill()
            hit += 1
        elif program.status:
            yield f"after {hit} kills it fails: {program.said.read_text(errors='replace')[-1000:]}"
            return
        now = stamps(folder)
        yield from (f"{path.parent.name} was done again" for path in done if now.get(path) != done[path])
        done = now
        if ended:  # before its moment: compare, and begin anew
            if anew:  # the machine has less else to do than it had: later moments would come after the end, too
                longest = min(longest, time.monotonic() - program.started)
            yield from compare(usual, folder)
            folder, done = kind.ready(name, folder), {}
        anew = bool(ended)
    program = kind.start(name, folder)
    said = program.wait()
    if program.status:
        yield f"after {hit} kills it fails: {said[-1000:]}"
    yield from compare(usual, folder)
    print(
        f"{name}: {hit} kills in {starts} starts, {seconds:.1f} s undisturbed, {len(usual)} files compared", flush=True
    )


def together(kind: Kind, place: Path) -> Iterator[str]:
    folder = kind.ready("benchmark", place / "together")
    first, second = (kind.start("benchmark", folder) for _ in range(2))
    said = first.wait() + second.wait()
    if "Traceback" in said:
        yield f"together: {said[-2000:]}"
    third = kind.start("benchmark", folder)  # what one of them left to the other
    said += third.wait()
    if third.status:
        yield f"together, then alone: {said[-1000:]}"
    yield from compare(contents(kind.finished), folder)
    print(f"together: two benchmarks at once, exit status {first.status} and {second.status}", flush=True)


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def refused(program: Program, what: str, words: str, before: dict[Path, bytes]) -> Iterator[str]:
    """Faults of a program that is to end with a message that says `words`, and to leave these files as they are."""
    said = program.wait()
    if program.status == 0 or "Traceback" in said or not re.search(words, said):
        yield f"{what}: exit status {program.status}: {said[-1500:]}"
    yield from (f"{what}: {path} has changed" for path, data in before.items() if path.read_bytes() != data)
    told = next((line for line in said.splitlines() if re.search(words, line)), "")
    print(f"{what}: {told}", flush=True)


def finished_files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for done in folder.rglob("result.json") for path in done.parent.iterdir()}


def full(kind: Kind, place: Path) -> Iterator[str]:
    with small_disk(place / "full", "40m") as folder:
        program, ballast = kind.start("benchmark", folder), folder / "ballast"
        while not stamps(folder) and not program.ended():
            time.sleep(0.002)
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        yield from refused(program, "full disk", "cannot be written.*(No space left|make room)", finished_files(folder))
        ballast.unlink()
        program = kind.start("benchmark", folder)
        said = program.wait()
        if program.status:
            yield f"full disk, with room again: {said[-1000:]}"
        yield from compare(contents(kind.finished), folder)


def readonly(kind: Kind, place: Path) -> Iterator[str]:
    with small_disk(place / "readonly", "200m") as folder:
        shutil.copytree(kind.finished, folder, dirs_exist_ok=True)
        before = finished_files(folder)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        tool, words = kind.words["benchmark"]
        said_elsewhere = place / "said"
        said_elsewhere.mkdir(exist_ok=True)
        words = [*(word for word in words if not word.startswith("model=")), f"runs_dir={folder / 'runs'}"]
        program = Program(said_elsewhere, tool, *words, "model=x3d,vit")
        if "report: " not in (said := program.wait()) or program.status:
            yield f"read-only, a finished benchmark is not told of: exit status {program.status}: {said[-1500:]}"
        program = Program(said_elsewhere, tool, *words, "model=x3d,vit,r3d")
        yield from refused(program, "read-only, benchmark", "cannot be written", before)
        program = Program(said_elsewhere, "report", str(folder / "runs" / "e"))
        yield from refused(program, "read-only, report", "cannot be written", before)


def told(faults: Iterable[str]) -> Iterator[str]:
    """Each printed when it is found: the rest may take an hour on a busy machine."""
    for fault in faults:
        print(f"fault: {fault}", flush=True)
        yield fault


def import_all() -> None:
    """What the programs need, so that forks of this one begin at once."""
    import hybrid.experiment.benchmark
    import hybrid.pretraining.run
    import hybrid.report.benchmark
    import hybrid.report.page
    import hybrid.simulator.dataset
    import hybrid.training.run  # noqa: F401


def main() -> int:
    kinds = ("benchmark", "simulation", "pretraining", "report")
    others = {"together": together, "full": full, "readonly": readonly}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30, help="in all (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=(*kinds, *others), help="of these (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="other moments (default: %(default)s)")
    options = parser.parse_args()
    wanted = options.only or [*kinds, *others]
    import_all()
    from support import write_dataset

    from hybrid.data.cache import CACHE_VARIABLE

    faults, rng = [], random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ[CACHE_VARIABLE] = str(place / "cache")
        kind = Kind(write_dataset(place / "set"))
        if {"benchmark", "report", *others} & set(wanted):
            kind.finished.mkdir()
            program = kind.start("benchmark", kind.finished)
            said = program.wait()
            if program.status:
                print(said, file=sys.stderr)
                return 1
        killing = [name for name in kinds if name in wanted]
        for number, name in enumerate(killing):
            share = options.kills // len(killing) + (number < options.kills % len(killing))
            faults += told(f"{name}: {fault}" for fault in killed(kind, name, share, place, rng))
        for name, scenario in others.items():
            if name in wanted and name != "together" and os.geteuid() != 0:
                print(f"{name}: not tried, as only root may mount a small disk")
            elif name in wanted:
                faults += told(scenario(kind, place))
    print(f"{len(faults)} faults" if faults else "no faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
