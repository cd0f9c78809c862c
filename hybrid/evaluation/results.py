"""What the finished runs of an experiment have left behind, read once for the statistics and the report."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from hybrid import get_entry
from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import ClipDataset, load_dataset
from hybrid.data.paths import group_name, plain_name
from hybrid.data.problems import Problems, some_of
from hybrid.data.simulated import read_truth
from hybrid.data.table import read_table
from hybrid.errors import UserError
from hybrid.evaluation.metrics import squared_error
from hybrid.files import check_record, read_yaml
from hybrid.folders import BEST, RESULT, ExperimentFolder, RunFolder


@dataclass(frozen=True, eq=False)
class RunResult:
    """One finished run on the N clips of its test fold.

    result: of result.json. mse: mean over clips and grades. simulated: whether the clips are the simulator's. error_N:
    squared error clip by clip, mean over grades. raters_N: votes behind each target, NaN where the run's files do not
    say.
    """

    folder: RunFolder
    result: dict[str, Any]
    arm: str
    repeat: int
    fold: int
    mse: float
    train_clips: int
    test_clips: int
    simulated: bool
    grades: tuple[str, ...]
    clips: tuple[str, ...]
    target_NK: np.ndarray
    prediction_NK: np.ndarray
    error_N: np.ndarray
    raters_N: np.ndarray

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a clip: arm, repeat, fold, clip, target_<grade>..., predicted_<grade>..., raters."""
        columns = {"arm": self.arm, "repeat": self.repeat, "fold": self.fold, "clip": list(self.clips)}
        for prefix, values_NK in (("target", self.target_NK), ("predicted", self.prediction_NK)):
            columns |= {f"{prefix}_{grade}": values_NK[:, k] for k, grade in enumerate(self.grades)}
        return pd.DataFrame(columns | {"raters": self.raters_N})


Runs = dict[tuple[int, int], RunResult]
"""an arm's finished runs, by repeat and fold"""


@dataclass(frozen=True, eq=False)
class ExperimentResults:
    """The finished runs and, where it is still there unchanged, their data set.

    groups: of every clip of the experiment. dataset: None where it is gone; `missing` then says why.
    """

    folder: ExperimentFolder
    runs: list[RunResult]
    groups: dict[str, str]
    dataset: ClipDataset | None
    missing: str

    @property
    def results(self) -> list[dict[str, Any]]:
        return [run.result for run in self.runs]

    @property
    def simulated(self) -> bool:
        return any(run.simulated for run in self.runs)

    @property
    def grades(self) -> tuple[str, ...]:
        return self.runs[0].grades

    @property
    def by_arm(self) -> dict[str, Runs]:
        arms: dict[str, Runs] = {}
        for run in self.runs:
            arms.setdefault(run.arm, {})[run.repeat, run.fold] = run
        return arms

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """A row a clip, arm and repeat, with the columns of `RunResult.table`."""
        return pd.concat([run.table for run in self.runs], ignore_index=True)

    @cached_property
    def ground_truth(self) -> pd.DataFrame | None:
        """What the simulator knows of the clips, by their names; None where they are not simulated or gone."""
        return read_truth(self.dataset.root) if self.simulated and self.dataset is not None else None

    def of(self, arms: Collection[str]) -> Self:
        """The same of these arms alone."""
        return replace(self, runs=[run for run in self.runs if run.arm in arms])

    def targets(self, rows: pd.DataFrame) -> np.ndarray:
        """(rows, K) of rows of `predictions`."""
        return rows[[f"target_{grade}" for grade in self.grades]].to_numpy(float)

    def answers(self, rows: pd.DataFrame) -> np.ndarray:
        """(rows, K) of rows of `predictions`."""
        return rows[[f"predicted_{grade}" for grade in self.grades]].to_numpy(float)


def load_experiment(folder: ExperimentFolder) -> ExperimentResults:
    """Every finished run; a UserError names a file that is missing, cannot be read or contradicts its result."""
    runs = folder.done_runs()
    if not runs:
        raise UserError(f"{folder.path}: no run of it is done, there is nothing to report")
    dataset, missing = dataset_of(folder, runs[0])
    read = [read_run(run) for run in runs]
    named = {plain_name(clip): clip for run in read for clip in run.clips}
    groups = {named.get(plain_name(clip), clip): group for clip, group in read_groups(folder, dataset).items()}
    if unknown := [clip for run in read for clip in run.clips if clip not in groups]:
        raise UserError(f"{folder.folds}: has no row of {some_of(unknown)}, which runs were tested on")
    check_split(folder, read)
    return ExperimentResults(folder, read, groups, dataset, missing)


def read_run(folder: RunFolder) -> RunResult:
    result, table = folder.read_result(*RESULT), _read_csv(folder.predictions)
    check_record(folder.result, result, {"fold": int} | (BEST if "best_epoch" in result else {}))
    try:
        get_entry(result["model"])
    except ValueError as error:
        raise UserError(f"{folder.result}: {error}") from error
    grades = tuple(column.removeprefix("target_") for column in table if column.startswith("target_"))
    try:
        target_NK, prediction_NK = (
            table[[column for column in table if column.startswith(prefix)]].to_numpy(np.float64)
            for prefix in ("target_", "predicted_")
        )
        error_N = squared_error(prediction_NK, target_NK)
    except ValueError as error:
        raise UserError(f"{folder.predictions}: {error}") from error
    mse = result["metrics"]["mse"]
    if len(table) != result["test_clips"] or not np.isclose(error_N.mean(), mse, rtol=1e-3):
        raise UserError(
            f"{folder.predictions}: its {len(table)} clips have an MSE of {error_N.mean():.6f}, but "
            f"{folder.result.name} beside it says {mse:.6f} of {result['test_clips']} clips; they are not of one run"
        )
    raters = table["raters"] if "raters" in table else [""] * len(table)
    raters_N = pd.to_numeric(pd.Series(raters), errors="coerce").to_numpy(float)
    known = {name: result[name] for name in ("arm", "repeat", "fold", "train_clips", "test_clips", "simulated")}
    clips = tuple(table["clip"])
    return RunResult(folder, result, **known, mse=mse, grades=grades, clips=clips,
                     target_NK=target_NK, prediction_NK=prediction_NK, error_N=error_N, raters_N=raters_N)  # fmt: skip


def check_split(folder: ExperimentFolder, runs: Iterable[RunResult]) -> None:
    """Refuse runs that were tested on other clips than folds.csv now says."""
    runs = list(runs)
    table = read_folds(folder, [clip for run in runs for clip in run.clips])
    for run in runs:
        column = f"repeat{run.repeat}"
        there = table["clip"][table[column] == str(run.fold)] if column in table else ()
        if set(map(plain_name, there)) != set(map(plain_name, run.clips)):
            raise UserError(
                f"{folder.folds}: was changed; {run.folder.label} was tested on other clips than those of fold "
                f"{run.fold} in repeat {run.repeat}: put it back as it was"
            )


def read_groups(folder: ExperimentFolder, dataset: ClipDataset | None = None) -> dict[str, str]:
    """The group of each clip of folds.csv: that of the data set, else of the file; without any, each is its own."""
    table = read_folds(folder, () if dataset is None else dataset.clips)
    groups = dict(zip(table["clip"], table.get("group", table["clip"]), strict=True))
    if dataset is None or not dataset.groups:
        return groups
    known = dict(zip(map(plain_name, dataset.clips), dataset.groups, strict=True))
    return {clip: known.get(plain_name(clip), group) for clip, group in groups.items()}


def read_folds(folder: ExperimentFolder, clips: Collection[str] = ()) -> pd.DataFrame:
    """folds.csv as `hybrid.data.folds` reads it, for it may be its user's own: clip, group where it has any, and the
    fold in each of repeat0, repeat1, ..., all as text. clips: names that tell the file's encoding, where it is old."""
    if not folder.folds.exists():
        raise UserError(
            f"{folder.folds}: is gone, and with it what the runs were tested on; put it back, or choose another name "
            "with experiment=..."
        )
    problems = Problems(f"folds {folder.folds}")
    table = read_table(folder.folds, ("clip", "repeat0"), problems, optional=("group",), clips=clips)
    lines: dict[str, int] = {}
    for row in table.rows if table is not None else ():
        if (line := lines.setdefault(plain_name(row.cells["clip"]), row.line)) != row.line:
            problems.add(f"{table.name} row {row.line}: clip {row.cells['clip']!r} is in row {line} already")
    problems.raise_if_any()
    frame = pd.DataFrame([row.cells for row in table.rows], columns=table.columns)
    repeats = frame.filter(regex=r"^repeat\d+$")
    frame[repeats.columns] = repeats.map(lambda fold: str(int(fold)) if fold.isdecimal() else fold)
    if "group" in frame:
        frame["group"] = frame["group"].map(group_name)
        frame = frame if frame["group"].any() else frame.drop(columns="group")
    return frame


def dataset_of(folder: ExperimentFolder, run: RunFolder) -> tuple[ClipDataset | None, str]:
    """The data set that one of the experiment's runs was trained on, or None and why it is not there as it was."""
    settings = run.read_config()
    protocol, data = settings["protocol"], settings["data"]
    root = Path(data["root"])
    if not root.exists():
        return None, f"the data set is no longer at {root.absolute()}"
    spec = ClipSpec(protocol["num_frames"], protocol["frame_rate"], protocol["crop_size"], data["channels"])
    try:
        dataset = load_dataset(root, spec)
    except UserError as error:
        return None, f"the data set at {root} cannot be read any more: {str(error).splitlines()[0]}"
    trained_on = fingerprint_of(folder)
    if trained_on not in (None, dataset.fingerprint):
        return None, f"the data set at {root} has changed since the runs (it was {trained_on})"
    return dataset, ""


def fingerprint_of(folder: ExperimentFolder) -> str | None:
    """What the experiment's data set is known by; None where nothing says."""
    if not folder.settings.exists():
        return None
    return read_yaml(folder.settings, {"data.fingerprint": str})["data"]["fingerprint"]


def _read_csv(path: Path) -> pd.DataFrame:
    # As text: a clip or group may be called NA or 007.
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    if "clip" not in table:
        raise UserError(f"{path}: has no column 'clip'")
    return table
