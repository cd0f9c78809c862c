"""Peak memory and time of each step, as the number of clips grows.

    python tests/harness/scale.py                           # 615 and 6,150 clips
    python tests/harness/scale.py --clips 61500 --folder /data/scale
    python tests/harness/scale.py --clips 61500 --folder /data/scale --skip check decode    # the rest, another day

Clips are small (64 px, 16 frames, FFV1), each with a square of its own path, graded by made-up panels, in groups of 10.
Steps: check (tables), decode (into an empty cache), train (x3d, tiny, one epoch, one fold), report (made-up runs of
two models) and analyze (4 clips of the trained run). Each is a process of its own. Printed are, as Markdown, its
wall time, processor time and peak resident memory, what of it is the libraries', and the size of the page.
What a step makes is removed before it is measured and kept for the steps after it, so that a start with --folder
continues one before, its decoded clips and its trained run too.
"""

import argparse
import csv
import os
import runpy
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

GRADES = "ABCDE"


def write_clips(root: Path, number: int) -> Path:
    """The data set; what is there of it is kept."""
    import av
    import numpy as np

    (root / "clips").mkdir(parents=True, exist_ok=True)
    rows = [["clip", *GRADES, "group"]]
    for clip in range(number):
        rng, path = np.random.default_rng(clip), root / "clips" / f"{clip:05d}.mkv"
        places_T2 = np.clip(rng.integers(8, 48, 2) + rng.normal(0, 2, (16, 2)).cumsum(0), 0, 55).astype(int)
        rows.append([path.name, *rng.multinomial(40, rng.dirichlet(np.ones(5))).tolist(), f"donor{clip // 10}"])
        if path.exists():
            continue
        unfinished = path.with_suffix(".tmp")  # what a killed start leaves is no clip
        with av.open(str(unfinished), "w", format="matroska") as container:
            stream = container.add_stream("ffv1", rate=16)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "gray"
            for top, left in places_T2:
                image = np.full((64, 64), 120, np.uint8)
                image[top : top + 8, left : left + 8] = 220
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="gray")))
            container.mux(stream.encode())
        unfinished.rename(path)
    with open(root / "labels.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return root


def tool(name: str, *words: str) -> None:
    sys.argv = [f"tools/{name}.py", *words]
    try:
        runpy.run_path(str(ROOT / "tools" / f"{name}.py"), run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"{name} ended with status {end.code}") from end


def measured(step: Callable[[], object]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak MB of a step in a process of its own (with those that it starts)."""
    started = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            step()
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit("a step failed")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def steps(root: Path, folder: Path, clips: int) -> dict[str, Callable[[], object]]:
    from finished_runs import write_runs

    from hybrid.data.clip import ClipSpec
    from hybrid.data.dataset import load_dataset
    from hybrid.data.labels import read_labels
    from hybrid.folders import ExperimentFolder
    from hybrid.report.benchmark import write_report

    made_up = folder / f"made-up-{clips}"
    settings = ["protocol=smoke", "protocol.epochs=1", "model=x3d", "data=folder", f"data.root={root}"]
    settings += ["logger=disabled", "protocol.batch_size=32", f"runs_dir={folder}", f"experiment=e{clips}", "threads=1"]

    def report() -> None:
        print(write_report(ExperimentFolder(made_up), anew=True), file=sys.stderr)

    return {
        "check": lambda: read_labels(root),
        "decode": lambda: load_dataset(root, ClipSpec()),
        "load decoded": lambda: load_dataset(root, ClipSpec()),
        "train": lambda: tool("train", *settings),
        "make up runs": lambda: write_runs(made_up, load_dataset(root, ClipSpec()), models={"vgg16": 0.3, "x3d": 0.2}),
        "report": report,
        "analyze": lambda: tool("analyze", str(folder / f"e{clips}"), "--clips", "4", "-o", str(folder / f"a{clips}")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, nargs="+", default=[615, 6150], help="(default: 615 6150)")
    parser.add_argument("--folder", type=Path, help="where clips and runs are kept (default: a temporary one)")
    parser.add_argument("--skip", nargs="+", default=[], help="steps to leave out")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    os.environ["SPERM_VIDEO_HYBRID_CACHE"] = str(folder / "cache")
    import hybrid.experiment.benchmark
    import hybrid.report.page
    import hybrid.training.run  # noqa: F401
    from hybrid.data.cache import cache_folder

    _, _, own = measured(
        lambda: None
    )  # less than this process has: a fork does not begin with what is mapped from files
    print(f"of each peak, {own:.0f} MB are libraries, which every step begins with\n")
    print("| clips | step | wall s | processor s | peak MB |\n|---|---|---|---|---|")
    for clips in options.clips:
        root = write_clips(folder / f"clips-{clips}", clips)
        made = {
            "decode": cache_folder(root),
            "train": folder / f"e{clips}",
            "make up runs": folder / f"made-up-{clips}",
            "analyze": folder / f"a{clips}",
        }
        for name, step in steps(root, folder, clips).items():
            if name not in options.skip:
                if name in made:
                    shutil.rmtree(made[name], ignore_errors=True)
                print("| {} | {} | {:.1f} | {:.1f} | {:.0f} |".format(clips, name, *measured(step)), flush=True)
        for page in (folder / f"made-up-{clips}" / "report" / "index.html", folder / f"a{clips}" / "index.html"):
            if page.exists():
                print(f"| {clips} | page {page.parent.name} | | | {page.stat().st_size / 1e6:.1f} (on disk) |")
    if options.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
