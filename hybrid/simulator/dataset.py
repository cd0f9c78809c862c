"""A simulated data set on disk: clips, votes, ratings, and the truth behind them.

<root>/clips/clip00000.mp4 ...   labels.csv   ratings.csv       what a real data set would have
<root>/masks/clip00000.npz ...   truth.csv    paths.csv         what only a simulated one has
<root>/simulation.json           what was asked for; written with all the rest or not at all
"""

import contextlib
import glob
import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock
from tqdm import tqdm

from hybrid.config import check_values, processors
from hybrid.data.paths import LABELS, RATINGS
from hybrid.data.simulated import MASKS, PATHS, SIMULATION, TRUTH, mask_path
from hybrid.errors import UserError
from hybrid.files import fitting, is_held, only_one, read_json, write_json
from hybrid.simulator.clip import draw_cell, film, make_panel, vote_counts
from hybrid.simulator.contact_sheet import contact_sheet, preview
from hybrid.simulator.data_card import write_card
from hybrid.simulator.panel import GRADES
from hybrid.simulator.presets import get_preset
from hybrid.simulator.request import Request, is_made
from hybrid.simulator.settings import Settings
from hybrid.simulator.truth import path_rows, truth_row
from hybrid.simulator.writer import record

CHUNK = 8
"""clips a process makes before it reports, and that are made again after a kill"""
PARTIAL = ".????????.partial"
"""ending of the folder that a data set is made in, with a hash of the request"""


def simulate_dataset(
    root: Path,
    *,
    preset: str = "clinic",
    num_clips: int = 615,
    seed: int = 0,
    workers: int | None = None,
    settings: Settings | None = None,
) -> Path:
    """Make a data set in the new folder `root`, and return it.

    workers: processes, by default one a processor; clip i depends on (seed, i) alone, not on them.
    A folder that holds exactly this data set already is left as it is; any other one is a UserError. All is made in a
    folder beside `root` that gets its name at the end, so that a half-made data set is never seen; the same request
    again goes on where a stopped or killed one was.
    """
    root = Path(root)
    check_values([("workers", workers, "1 or more, or null", workers is None or workers >= 1)])
    request = Request(preset, num_clips, seed, settings or Settings())
    if not is_made(root, request):
        try:
            with held_folder(root, request.record()) as folder:
                if not is_made(root, request):  # by another program, meanwhile
                    _fill(folder, request, workers or processors())
                    os.replace(folder, root.resolve())  # of a link to a folder, the folder
                shutil.rmtree(folder.parent, ignore_errors=True)
        except OSError as error:
            raise UserError(f"cannot write a data set to {root}: {error.strerror or error}") from error
    _remove_left_over(root)
    return root


def _remove_left_over(root: Path) -> None:
    """What programs that were stopped had made of other data sets for this folder, which is taken now."""
    for place in _places(root):
        with contextlib.suppress(OSError), FileLock(place / "lock", timeout=0):  # of one that is at it now, a Timeout
            shutil.rmtree(place)
            print(f"note: {place} is removed: another data set, half made, for {root.resolve()}", file=sys.stderr)


def _places(root: Path) -> list[Path]:
    """Where data sets for this folder are being made, or were when a program was stopped."""
    root = root.resolve()
    return list(root.parent.glob(glob.escape(fitting(f".{root.name}", PARTIAL).removesuffix(PARTIAL)) + PARTIAL))


def in_processes(function: Callable, tasks: Sequence, workers: int, chunksize: int = 1) -> Iterator[Any]:
    """What `function` gives for each task, in their order; with one worker in this process.

    Ctrl-C is heard by this program alone, which ends the others; they would each tell of it.
    """
    if workers <= 1:
        yield from map(function, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        chunks = [tasks[first : first + chunksize] for first in range(0, len(tasks), chunksize)]
        with ctrl_c_waits():
            parts = [pool.submit(_each, function, chunk) for chunk in chunks]
        try:
            for part in parts:
                yield from part.result()
        except BaseException:
            for worker in list(pool._processes.values()):  # what they are at may take minutes
                worker.terminate()
            raise


@contextlib.contextmanager
def ctrl_c_waits() -> Iterator[None]:
    """A process that is started in here inherits this, and hears of Ctrl-C when it wants to (SIG_UNBLOCK) or never."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _each(function: Callable, tasks: Sequence) -> list[Any]:
    return list(map(function, tasks))


@contextlib.contextmanager
def held_folder(root: Path, record: dict) -> Iterator[Path]:
    """A folder to make this data set in, for this program alone; another one that makes the same is waited for.

    It lies in `.<root>.<hash of the request>.partial/` beside `root`, with the lock, and stays when a program ends.
    """
    name = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:8]
    place = root.resolve().parent / fitting(f".{root.resolve().name}", PARTIAL.replace("????????", name))
    for other in _places(root):
        if other != place and is_held(other / "lock"):
            raise UserError(f"another program is simulating another data set into {root} now: choose another folder")
    with contextlib.ExitStack() as held:
        while True:
            place.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # the one waited for is done, and has removed it
                held.enter_context(only_one(place, "simulates into"))
                break
        folder = place / "clips_and_tables"
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def _fill(folder: Path, request: Request, workers: int) -> None:
    for name in ("clips", MASKS, "rows"):
        (folder / name).mkdir(exist_ok=True)
    chunks = [range(i, min(i + CHUNK, request.num_clips)) for i in range(0, request.num_clips, CHUNK)]
    missing = [(folder, request, chunk) for chunk in chunks if not _rows_path(folder, chunk.start).exists()]
    made = request.num_clips - sum(len(chunk) for *_, chunk in missing)
    if made:
        told = f"goes on where a program that was stopped left it, with {made} of {request.num_clips} clips made"
        print(f"note: {folder.parent}: {told}", file=sys.stderr)
    with tqdm(total=request.num_clips, initial=made, desc="simulating clips", unit="clip", disable=None) as progress:
        for number in in_processes(_make_clips, missing, min(workers, len(missing))):
            progress.update(number)
    chunks_made = map(read_json, sorted((folder / "rows").glob("*.json")))
    _write_tables(folder, [row for rows in chunks_made for row in rows])
    write_card(folder, request)
    contact_sheet(folder, folder / "contact_sheet.png")
    preview(folder, folder / "preview.gif")
    write_json(folder / SIMULATION, request.record())
    shutil.rmtree(folder / "rows")


def _make_clips(task) -> int:
    folder, request, chunk = task
    rows = [_make_clip(folder, request, index) for index in chunk]
    plain = json.loads(json.dumps(rows, default=lambda value: value.tolist()))
    write_json(_rows_path(folder, chunk.start), plain)  # last and whole
    return len(chunk)


def _rows_path(folder: Path, first: int) -> Path:
    """Where the rows of the chunk of clips that begins with clip `first` are; the file's presence means: all made."""
    return folder / "rows" / f"{first:07d}.json"


def _make_clip(folder: Path, request: Request, index: int) -> dict:
    preset = get_preset(request.preset)
    settings = preset.look.camera(request.settings)
    cell = draw_cell(request.seed, index, settings, preset, _panel(request.seed, request.preset))
    frames, masks, path, camera = film(cell, settings)
    name = f"clip{index:05d}"
    (folder / "clips" / f"{name}.mp4").write_bytes(record(frames, settings.frame_rate, cell.optics.quantiser))
    np.savez_compressed(mask_path(folder, name), masks=masks)
    return {
        "clip": f"{name}.mp4",
        "group": f"donor{cell.donor:02d}",
        "votes": cell.votes,
        "counts": vote_counts(cell),
        "truth": truth_row(cell, path, settings),
        "path": path_rows(path, camera, settings),
    }


@cache
def _panel(seed: int, preset: str):
    return make_panel(seed, get_preset(preset))


def _write_tables(folder: Path, made: list[dict]) -> None:
    labels = [{"clip": m["clip"], **dict(zip(GRADES, m["counts"], strict=True)), "group": m["group"]} for m in made]
    ratings = [
        {"clip": m["clip"], "rater": f"rater{r + 1:02d}", "grade": GRADES[vote]}
        for m in made
        for r, vote in enumerate(m["votes"])
    ]
    truth = [{"clip": m["clip"], **m["truth"]} for m in made]
    paths = [{"clip": m["clip"], **row} for m in made for row in m["path"]]
    for name, rows in ((LABELS, labels), (RATINGS, ratings), (TRUTH, truth), (PATHS, paths)):
        pd.DataFrame(rows).to_csv(folder / name, index=False, float_format="%.6g", lineterminator="\n")
