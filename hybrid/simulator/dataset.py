"""A simulated data set on disk: clips, votes, ratings, and the truth behind them.

<root>/clips/clip00000.mp4 ...   labels.csv   ratings.csv       what a real data set would have
<root>/masks/clip00000.npz ...   truth.csv    paths.csv         what only a simulated one has
<root>/simulation.json           what was asked for; written with all the rest or not at all
"""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from hybrid.errors import UserError
from hybrid.files import write_json
from hybrid.simulator.card import write_card
from hybrid.simulator.clip import draw_cell, film, make_panel, vote_counts
from hybrid.simulator.panel import GRADES
from hybrid.simulator.partial import held_folder, read_rows, rows_path, write_rows
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings
from hybrid.simulator.sheet import contact_sheet, preview
from hybrid.simulator.truth import path_rows, truth_row
from hybrid.simulator.writer import record

VERSION = 2
"""of the simulator: raised whenever the same request would give other clips or votes"""
CHUNK = 8
"""clips a process makes before it reports, and that are made again after a kill"""


@dataclass(frozen=True)
class Request:
    """All that a data set depends on."""

    preset: str
    num_clips: int
    seed: int
    settings: Settings

    def __post_init__(self):
        get_preset(self.preset)
        if self.num_clips < 1:
            raise UserError(f"num_clips must be at least 1, not {self.num_clips}")
        if not 0 <= self.seed < 2**63:
            raise UserError(f"seed must be from 0 to 2^63, not {self.seed}")

    def record(self) -> dict:
        return {"simulator": VERSION, **asdict(self)}


def simulate_dataset(
    root: Path,
    *,
    preset: str = "standard",
    num_clips: int = 615,
    seed: int = 0,
    workers: int | None = None,
    settings: Settings | None = None,
) -> Path:
    """Make a data set in the new folder `root`, and return it.

    workers: processes, by default one a processor; clip i depends on (seed, i) alone, not on them.
    A folder that holds exactly this data set already is left as it is; any other one is a UserError. All is made in a
    folder beside `root` (see partial.py) that gets its name at the end, so that a half-made data set is never seen; the
    same request again goes on where a stopped or killed one was.
    """
    root = Path(root)
    request = Request(preset, num_clips, seed, settings or Settings())
    if is_made(root, request):
        return root
    try:
        with held_folder(root, request.record()) as folder:
            if is_made(root, request):  # by another program, meanwhile
                shutil.rmtree(folder, ignore_errors=True)
                return root
            _fill(folder, request, workers or processors())
            os.replace(folder, root)
    except OSError as error:
        raise UserError(f"cannot write a data set to {root}: {error.strerror or error}") from error
    return root


def processors() -> int:
    """Processors this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_made(root: Path, request: Request) -> bool:
    """True if `root` is this very data set, False if nothing is there; anything else there is a UserError."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    try:
        record = json.loads((root / "simulation.json").read_text())
    except (OSError, ValueError):
        raise UserError(f"{root} exists and is not a simulated data set; choose another folder") from None
    wanted = request.record()
    if record == wanted:
        return True
    different = [
        f"{key}: {record.get(key)!r} there, {wanted.get(key)!r} asked for"
        for key in {**wanted, **record}
        if record.get(key) != wanted.get(key)
    ]
    raise UserError(f"{root} holds another simulated data set ({'; '.join(different)}); choose another folder")


def _fill(folder: Path, request: Request, workers: int) -> None:
    for name in ("clips", "masks", "rows"):
        (folder / name).mkdir(exist_ok=True)
    chunks = [range(i, min(i + CHUNK, request.num_clips)) for i in range(0, request.num_clips, CHUNK)]
    missing = [(folder, request, chunk) for chunk in chunks if not rows_path(folder, chunk.start).exists()]
    made = request.num_clips - sum(len(chunk) for *_, chunk in missing)
    with tqdm(total=request.num_clips, initial=made, desc="simulating clips", unit="clip", disable=None) as progress:
        for number in _run(_make_clips, missing, min(workers, len(missing))):
            progress.update(number)
    _write_tables(folder, read_rows(folder))
    write_card(folder, request)
    contact_sheet(folder, folder / "contact_sheet.png")
    preview(folder, folder / "preview.gif")
    write_json(folder / "simulation.json", request.record())
    shutil.rmtree(folder / "rows")


def _run(function, tasks, workers: int):
    if workers <= 1:
        yield from map(function, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(function, tasks)


def _make_clips(task) -> int:
    folder, request, chunk = task
    write_rows(rows_path(folder, chunk.start), [_make_clip(folder, request, index) for index in chunk])
    return len(chunk)


def _make_clip(folder: Path, request: Request, index: int) -> dict:
    settings, preset = request.settings, get_preset(request.preset)
    cell = draw_cell(request.seed, index, settings, preset, _panel(request.seed, request.preset))
    frames, masks, path, camera = film(cell, settings)
    name = f"clip{index:05d}"
    (folder / "clips" / f"{name}.mp4").write_bytes(record(frames, settings.frame_rate, cell.optics.quantiser))
    np.savez_compressed(folder / "masks" / f"{name}.npz", masks=masks)
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
    for name, rows in (("labels", labels), ("ratings", ratings), ("truth", truth), ("paths", paths)):
        pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
