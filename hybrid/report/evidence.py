"""What an experiment has left behind, read once for the whole report."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hybrid.data.dataset import ClipDataset
from hybrid.errors import UserError
from hybrid.evaluation.outcomes import read_groups
from hybrid.evaluation.panel_noise import panel_noise
from hybrid.experiment.trained_on import dataset_of
from hybrid.folders import ExperimentFolder, RunFolder


@dataclass(frozen=True, eq=False)
class Evidence:
    """The finished runs and, where it is still there unchanged, their data set.

    predictions: a row a clip, arm and repeat: arm, repeat, fold, clip, target_<grade>..., predicted_<grade>... and,
        of newer runs, raters.
    noise: of `panel_noise`, by arm. groups: of every clip of the experiment.
    dataset: None where it is gone; `missing` then says why.
    """

    folder: ExperimentFolder
    runs: list[RunFolder]
    results: list[dict[str, Any]]
    predictions: pd.DataFrame
    noise: pd.DataFrame
    groups: dict[str, str]
    grades: tuple[str, ...]
    dataset: ClipDataset | None
    missing: str

    @property
    def simulated(self) -> bool:
        return any(result["simulated"] for result in self.results)

    def of(self, arms: Collection[str]) -> Evidence:
        """The same of these arms alone."""
        kept = [(run, result) for run, result in zip(self.runs, self.results, strict=True) if result["arm"] in arms]
        return replace(
            self,
            runs=[run for run, _ in kept],
            results=[result for _, result in kept],
            predictions=self.predictions[self.predictions["arm"].isin(arms)],
            noise=self.noise[self.noise.index.isin(arms)],
        )

    def targets(self, rows: pd.DataFrame) -> np.ndarray:
        return rows[[f"target_{grade}" for grade in self.grades]].to_numpy(float)

    def answers(self, rows: pd.DataFrame) -> np.ndarray:
        return rows[[f"predicted_{grade}" for grade in self.grades]].to_numpy(float)


def gather(folder: ExperimentFolder) -> Evidence:
    runs = folder.done_runs()
    if not runs:
        raise UserError(f"{folder.path}: no run of it is done, there is nothing to report")
    results = [run.read_result() for run in runs]
    predictions = pd.concat(
        [
            _read(run.predictions).assign(arm=run.arm, repeat=result["repeat"], fold=result["fold"])
            for run, result in zip(runs, results, strict=True)
        ],
        ignore_index=True,
    )
    grades = tuple(column.removeprefix("target_") for column in predictions.columns if column.startswith("target_"))
    dataset, missing = dataset_of(folder, runs[0])
    noise = panel_noise(folder).set_index("arm")
    return Evidence(folder, runs, results, predictions, noise, read_groups(folder), grades, dataset, missing)


def _read(path: Path) -> pd.DataFrame:
    # A clip may be called NA.
    return pd.read_csv(path, dtype={"clip": str}, keep_default_na=False, na_values={"raters": [""]})
