"""What a command takes besides training: a run, by itself and within an experiment, and one that is done already."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from hybrid.data.cache import CACHE_VARIABLE
from hybrid.experiment.typed_commands import make_up_clips, type_command
from hybrid.folders import ExperimentFolder

CLIPS, FOLDS = 25, 5
FIRST, ANOTHER, WITHIN, DONE = "train.py, first", "train.py, another", "benchmark.py, a run", "benchmark.py, done"


def measure_start(tools: Path, names: Sequence[str], rounds: int) -> pd.DataFrame:
    """Four rows: `train.py` as the first run of an experiment and as another one, one of the runs that `benchmark.py`
    does, and `benchmark.py` where all of them are done.

    Programs in medians of `rounds`, `train.py` of the last of `names`: `processor_s` of the program with its processes,
    `wall_s` from its start to its end, and `besides_s`, what of that is neither training nor answers. Of the runs that
    `benchmark.py` does, five a model, the median of `besides_s` from a run's beginning to its result.
    """
    words = ["protocol=smoke", "protocol.epochs=1", f"protocol.num_folds={FOLDS}", "weights=fresh", "data=folder"]
    found = {row: [] for row in (FIRST, ANOTHER, WITHIN, DONE)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_up_clips(folder / "clips", CLIPS)
        words += [f"data.root={folder / 'clips'}", f"runs_dir={folder}"]
        for number in range(rounds):
            experiment = ExperimentFolder(folder / f"some{number}")
            with patch.dict(os.environ, {CACHE_VARIABLE: f"{experiment.path}-cache"}):
                for fold, row in enumerate((FIRST, ANOTHER)):
                    settings = [f"model={names[-1]}", f"experiment={experiment.path.name}", f"fold={fold}"]
                    took = type_command(tools / "train.py", [*words, *settings])
                    result = experiment.run(names[-1], 0, fold).read_result()
                    found[row].append((took.wall, took.processor, took.wall - _at_work(result)))
        with patch.dict(os.environ, {CACHE_VARIABLE: str(folder / "cache")}):
            of_all = [*words, f"model={','.join(names)}", "experiment=all"]
            type_command(tools / "benchmark.py", of_all)
            for result in ExperimentFolder(folder / "all").results():
                found[WITHIN].append((None, None, result["seconds"] - _at_work(result)))
            for _ in range(rounds):
                took = type_command(tools / "benchmark.py", of_all)
                found[DONE].append((took.wall, took.processor, took.wall))
    rows = [(row, *times) for row in found for times in found[row]]
    table = pd.DataFrame(rows, columns=["command", "wall_s", "processor_s", "besides_s"])
    return table.groupby("command", sort=False).median().reset_index()


def _at_work(result: dict) -> float:
    """Seconds of a run in which it trained and asked for answers."""
    tested = CLIPS // FOLDS
    trained = result["epochs"] * (CLIPS - tested) * result["train_seconds_per_clip"]
    return trained + tested * result["inference_seconds_per_clip"]
