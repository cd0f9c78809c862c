"""What an experiment's finished runs said about each test clip, read back from their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from hybrid.errors import UserError
from hybrid.evaluation.metrics import squared_error
from hybrid.files import read_json


class Run(Protocol):
    """The files of one run: a `RunFolder`."""

    @property
    def arm(self) -> str: ...
    @property
    def result(self) -> Path: ...
    @property
    def predictions(self) -> Path: ...


class Experiment(Protocol):
    """The files of one experiment: an `ExperimentFolder`."""

    @property
    def folds(self) -> Path: ...
    def done_runs(self) -> Sequence[Run]: ...


@dataclass(frozen=True, eq=False)
class Outcome:
    """One finished run on the N clips of its test fold.

    mse: mean over clips and grades. error_N: the same clip by clip. raters_N: votes behind each target, NaN where
    the run's files do not say. simulated: whether the clips are the simulator's.
    """

    arm: str
    repeat: int
    fold: int
    mse: float
    train_clips: int
    test_clips: int
    simulated: bool
    clips: tuple[str, ...]
    target_NK: np.ndarray
    prediction_NK: np.ndarray
    error_N: np.ndarray
    raters_N: np.ndarray


def read_outcomes(folder: Experiment) -> list[Outcome]:
    """Every finished run; a UserError names a file that is missing, cannot be read or contradicts its result."""
    return [_outcome(run) for run in folder.done_runs()]


def read_groups(folder: Experiment) -> dict[str, str]:
    """The group of each clip in folds.csv; where the file has none, every clip is its own."""
    table = _read_csv(folder.folds)
    column = "group" if "group" in table else "clip"
    return dict(zip(table["clip"], table[column], strict=True))


def _outcome(run: Run) -> Outcome:
    result, table = read_json(run.result), _read_csv(run.predictions)
    target_NK, prediction_NK = (_columns(table, prefix, run.predictions) for prefix in ("target_", "predicted_"))
    try:
        error_N = squared_error(prediction_NK, target_NK)
    except ValueError as error:
        raise UserError(f"{run.predictions}: {error}") from error
    mse = result["metrics"]["mse"]
    if len(table) != result["test_clips"] or not np.isclose(error_N.mean(), mse, rtol=1e-3):
        raise UserError(
            f"{run.predictions}: its {len(table)} clips have an MSE of {error_N.mean():.6f}, but {run.result.name} "
            f"beside it says {mse:.6f} of {result['test_clips']} clips; they are not of one run"
        )
    raters = table["raters"] if "raters" in table else [""] * len(table)
    return Outcome(
        arm=run.arm,
        repeat=result["repeat"],
        fold=result["fold"],
        mse=mse,
        train_clips=result["train_clips"],
        test_clips=result["test_clips"],
        simulated=result["simulated"],
        clips=tuple(table["clip"]),
        target_NK=target_NK,
        prediction_NK=prediction_NK,
        error_N=error_N,
        raters_N=np.array([float(count) if count else np.nan for count in raters]),
    )


def _read_csv(path: Path) -> pd.DataFrame:
    # As text: a clip or group may be called NA or 007.
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    if "clip" not in table:
        raise UserError(f"{path}: has no column 'clip'")
    return table


def _columns(table: pd.DataFrame, prefix: str, path: Path) -> np.ndarray:
    try:
        return table[[column for column in table if column.startswith(prefix)]].to_numpy(np.float64)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
