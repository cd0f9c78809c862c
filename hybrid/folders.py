"""An experiment's folder: what runs there are, which are done, and what their files hold.

    runs/<experiment>/experiment.yaml                what all its runs share
    runs/<experiment>/folds.csv                      the split, made once
    runs/<experiment>/ablations.yaml                 which arms are compared with which, where there are ablations
    runs/<experiment>/<arm>/                         model.yaml, profile.json (parameters and GMAC; of a frozen
                                                     model it is with its features)
    runs/<experiment>/<arm>/repeat0-fold0/           config.yaml metrics.csv last.ckpt model.ckpt predictions.csv
                                                     result.json (written last), or error.txt
    runs/<experiment>/<arm>/repeat0-all/             the same of a model trained on all clips: of no table and contrast

An arm is a model with its settings. Its label is the model's name unless the configuration gives another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from pathlib import Path
from types import NoneType
from typing import Any

from hybrid.config import NO_FOLD, TrainConfig
from hybrid.errors import UserError
from hybrid.files import LONGEST, Kinds, check_record, is_held, read_json, read_yaml, write_json

CONFIG: Kinds = {"protocol.num_frames": int, "protocol.frame_rate": (int, float), "protocol.crop_size": int,
                 "protocol.epochs": int, "data.name": str, "data.root": str, "data.channels": int,
                 "seed": int}  # fmt: skip
"""what every config.yaml of a run holds"""
ARM: Kinds = {"name": str, "pretrained": str, "recipe": dict}
"""what every model.yaml holds"""
NUMBER = (int, float)
RESULT: Kinds = {"arm": str, "model": str, "repeat": int, "fold": int, "train_clips": int, "test_clips": int,
                 "simulated": bool, "metrics": dict, "metrics.mse": NUMBER, "mean_predictor_mse": NUMBER,
                 "parameters": int, "gmac": NUMBER, "epochs": int, "train_seconds_per_clip": NUMBER,
                 "inference_seconds_per_clip": NUMBER, "seconds": NUMBER, "machine": dict, "machine.device": str,
                 "machine.precision": str, "versions": dict}  # fmt: skip
"""what the result.json of every run that was tested holds"""
BEST: Kinds = {"best_epoch": dict, "best_epoch.epoch": NUMBER, "best_epoch.mse": NUMBER}
"""of a run that tells of its best epoch"""
OTHERS: Kinds = {"fold": (int, str), "pretrained": str, "test_clips_seen": (int, NoneType), "loss": str, "frozen": str,
                 "train_share": NUMBER, "commit": (str, NoneType), "expected": (dict, NoneType),
                 "graded_by_motion": bool}  # fmt: skip
"""what there may be beside, which results of older versions or of runs on all clips tell in part"""


class Busy(UserError):
    """Another process is at this run."""


@dataclass(frozen=True)
class RunFolder:
    """One run's files."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.csv"

    @property
    def last(self) -> Path:
        """what an interrupted run continues from; gone when the run is done"""
        return self.path / "last.ckpt"

    @property
    def model(self) -> Path:
        """the trained model, for `predict` and `analyze`"""
        return self.path / "model.ckpt"

    @property
    def predictions(self) -> Path:
        return self.path / "predictions.csv"

    @property
    def result(self) -> Path:
        return self.path / "result.json"

    @property
    def error(self) -> Path:
        return self.path / "error.txt"

    @property
    def lock(self) -> Path:
        """held by the process that trains it"""
        return self.path / ".lock"

    @property
    def busy(self) -> bool:
        return is_held(self.lock)

    @property
    def done(self) -> bool:
        return self.result.exists()

    @property
    def epochs(self) -> int:
        """of an unfinished run, those behind it"""
        return len(self.metrics.read_text(encoding="utf-8").splitlines()) - 1

    @property
    def arm(self) -> str:
        return self.path.parent.name

    @property
    def label(self) -> str:
        return f"{self.arm}/{self.path.name}"

    @property
    def experiment(self) -> ExperimentFolder:
        return ExperimentFolder(self.path.parent.parent)

    def read_config(self) -> dict[str, Any]:
        return read_yaml(self.config, CONFIG)

    def read_result(self, *needed: str) -> dict[str, Any]:
        """What result.json holds; those of before there were arms do not name theirs.

        needed: keys that must be there. A UserError where a value has another kind than it is written with, and where
        it is another run's, as in a copied or renamed folder: that run would count twice, or as one of another arm.
        """
        result = read_json(self.result)
        check_record(self.result, {"content": result}, {"content": dict})
        result = {"arm": self.arm, **result}
        check_record(self.result, result, RESULT | BEST | OTHERS, needed)
        if metrics := result.get("metrics"):  # a rank correlation of equal votes, say, is no number
            check_record(self.result, result, {f"metrics.{name}": (*NUMBER, NoneType) for name in metrics})
            result["metrics"] = {name: nan if value is None else value for name, value in metrics.items()}
        of = [result.get(key) for key in ("arm", "repeat", "fold")]
        if None not in of and (run := self.experiment.run(*map(str, of))).label != self.label:
            raise UserError(
                f"{self.path}: its {self.result.name} is of the run {run.label}; move a copy out of "
                f"{self.experiment.path}, and give what was renamed its name back"
            )
        return result


@dataclass(frozen=True)
class ExperimentFolder:
    """One experiment's files."""

    path: Path

    @property
    def settings(self) -> Path:
        return self.path / "experiment.yaml"

    @property
    def folds(self) -> Path:
        return self.path / "folds.csv"

    @property
    def ablations(self) -> Path:
        """which arms belong together, where ablations were asked for"""
        return self.path / "ablations.yaml"

    @property
    def planned(self) -> Path:
        """labels of the runs that benchmarks set out to do, so that a report knows which are missing"""
        return self.path / "planned.json"

    @property
    def report(self) -> Path:
        return self.path / "report"

    def model(self, arm: str) -> Path:
        """the settings of an arm's model, the same in all its runs"""
        return self.path / arm / "model.yaml"

    def read_model(self, arm: str) -> dict[str, Any]:
        return read_yaml(self.model(arm), ARM)

    def run(self, arm: str, repeat: int | str, fold: int | str) -> RunFolder:
        part = "all" if fold == NO_FOLD else f"fold{fold}"
        return RunFolder(self.path / arm / f"repeat{repeat}-{part}")

    def planned_runs(self) -> list[RunFolder]:
        """Those that benchmarks set out to do."""
        if not self.planned.exists():
            return []
        check_record(self.planned, {"runs": (labels := read_json(self.planned))}, {"runs": list})
        return [RunFolder(self.path / label) for label in labels if isinstance(label, str)]

    def plan(self, labels: set[str]) -> None:
        """Add runs to those."""
        known = {run.label for run in self.planned_runs()}
        if labels - known:
            write_json(self.planned, sorted(labels | known))

    def done_runs(self) -> list[RunFolder]:
        """Those that were tested."""
        return [RunFolder(path.parent) for path in sorted(self.path.glob("*/repeat*-fold*/result.json"))]

    def unfinished_runs(self) -> list[RunFolder]:
        """with an epoch behind them and no result: under way, stopped or failed"""
        runs = [RunFolder(path.parent) for path in sorted(self.path.glob("*/repeat*-fold*/metrics.csv"))]
        return [run for run in runs if not run.done]

    def results(self) -> list[dict[str, Any]]:
        return [run.read_result() for run in self.done_runs()]


def named_experiment(path: Path) -> ExperimentFolder:
    """An experiment that was named on a command line. A UserError says where one is, if its folder is none."""
    if not path.is_dir():
        raise UserError(f"{path}: there is no such folder")
    within = sorted(file.parent.name for file in path.glob("*/experiment.yaml"))
    above = next((parent for parent in path.absolute().parents if (parent / "experiment.yaml").exists()), None)
    if within and not (path / "experiment.yaml").exists():
        raise UserError(f"{path}: holds experiments, and one of them must be named: {', '.join(within)}")
    if above is not None:
        raise UserError(f"{path}: is a part of the experiment {above}; name that")
    return ExperimentFolder(path)


def experiment_folder(config: TrainConfig) -> ExperimentFolder:
    name = config.experiment  # once, for it is put together anew each time
    if not name or set(name) & set("/\\") or name.startswith("."):
        raise UserError(f"experiment must be a plain folder name, not {name!r}")
    if len(os.fsencode(name)) > LONGEST:
        raise UserError(f"experiment names a folder, and {LONGEST} bytes are the most there: {name!r}")
    return ExperimentFolder(Path(config.runs_dir) / name)


def arm_folder(config: TrainConfig) -> Path:
    """Of all runs of the arm that `config` describes."""
    arm = config.arm
    if not re.fullmatch(r"\w[\w.+-]*", arm, re.ASCII) or arm == "report":
        raise UserError(f"arm must be a label of letters, digits and _.+- that can name a folder, not {arm!r}")
    if len(arm) > LONGEST:
        raise UserError(f"arm names a folder, and {LONGEST} bytes are the most there: {arm!r}")
    return experiment_folder(config).path / arm


def run_folder(config: TrainConfig) -> RunFolder:
    """Of the run that `config` describes."""
    arm = arm_folder(config)
    return ExperimentFolder(arm.parent).run(arm.name, config.repeat, config.fold)


def has_begun(folder: Path) -> bool:
    """Whether any run in this folder, of an experiment, an arm or a run, has an epoch behind it or is in its first."""
    # Finished ones first: among many of them the first folder tells, and last.ckpt is nowhere.
    return (
        any(in_runs(folder, "result.json"))
        or any(in_runs(folder, "last.ckpt"))
        or any(RunFolder(lock.parent).busy for lock in in_runs(folder, ".lock"))
    )


def in_runs(folder: Path, name: str) -> Iterator[Path]:
    """The files of this name in all run folders of an experiment, an arm or a run."""
    for depth in ("", "*/", "*/*/"):  # not rglob, which passes links by
        yield from folder.glob(depth + name)
