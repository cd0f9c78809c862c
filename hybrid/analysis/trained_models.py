"""The trained models of an analysis: what each is called, and which clips it has not been trained on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

import pandas as pd

from hybrid import list_models
from hybrid.errors import UserError
from hybrid.evaluation.comparisons import tested_to_trained
from hybrid.evaluation.results import read_groups
from hybrid.folders import ExperimentFolder, RunFolder
from hybrid.names import check_names
from hybrid.training.checkpoint import load_trained
from hybrid.training.ensemble import checkpoints_in


@dataclass(frozen=True)
class TrainedRun:
    """One trained model: a checkpoint, and what it is called.

    label: of all trainings of one model or variant, 'slowfast'. name: which of them, 'repeat0-fold1'; runs of one name
    have been trained on the same clips. of_experiment: whether the checkpoint lies in a finished run's folder, whose
    other files say on which clips it was tested.
    """

    checkpoint: Path
    label: str
    name: str
    experiment_name: str
    of_experiment: bool

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.checkpoint.parent)

    @property
    def experiment(self) -> ExperimentFolder:
        return ExperimentFolder(self.checkpoint.parent.parent.parent)

    @property
    def seed(self) -> int:
        """A number for the run's name."""
        repeat, *fold = map(int, re.findall(r"\d+", self.name))
        return 1000 * repeat + (fold[0] if fold else 999)  # a model that was trained on all clips has no fold

    @cached_property
    def held_out(self) -> frozenset[str]:
        """The clips of the test fold, of a run of an experiment."""
        return frozenset(pd.read_csv(self.folder.predictions, dtype=str, keep_default_na=False)["clip"])

    @cached_property
    def test_to_train(self) -> float | None:
        """Clips of the test fold over those that could be trained on; None where this is not known."""
        if not self.of_experiment:
            return None
        return tested_to_trained([len(self.held_out)], len(read_groups(self.experiment)))


def find_trained_runs(paths: Sequence[Path], labels: Sequence[str] = (), names: Sequence[str] = ()) -> list[TrainedRun]:
    """The trained models in these files and folders, by label and name.

    labels: those wanted, all by default. names: patterns such as 'repeat*-fold0', all runs by default.
    """
    checkpoints: dict[Path, None] = {}
    for path in paths:
        if not (of_path := checkpoints_in(path)):
            raise UserError(f"{path}: holds no finished run")
        checkpoints |= dict.fromkeys(checkpoint.resolve() for checkpoint in of_path)
    found = _distinct([_trained_run(checkpoint) for checkpoint in checkpoints])
    known = known_labels(found)
    check_names("model", labels, known)
    found = [run for run in found if not labels or run.label in labels]
    if names:
        known = sorted({run.name for run in found})
        found = [run for run in found if any(fnmatchcase(run.name, name) for name in names)]
        if not found:
            raise UserError(f"no run is called {' or '.join(names)}; there are: {', '.join(known)}")

    def place(label: str) -> tuple[int, str]:
        """That of the registry, variants of a model after it."""
        if labels:
            return labels.index(label), label
        return next((n for n, model in enumerate(models) if label.startswith(model)), 99), label

    models = list_models()
    return sorted(found, key=lambda run: (place(run.label), run.seed))


def known_labels(runs: Sequence[TrainedRun]) -> list[str]:
    return list(dict.fromkeys(run.label for run in runs))


def _trained_run(checkpoint: Path) -> TrainedRun:
    run = RunFolder(checkpoint.parent)
    if re.fullmatch(r"repeat\d+-fold\d+", run.path.name) and run.done:
        return TrainedRun(checkpoint, run.arm, run.path.name, run.path.parent.parent.name, of_experiment=True)
    trained = load_trained(checkpoint)
    origin = {"repeat": 0, "fold": 0, "experiment": checkpoint.stem} | trained.origin
    name = ExperimentFolder(checkpoint).run("", origin["repeat"], origin["fold"]).path.name
    return TrainedRun(checkpoint, origin.get("arm", trained.name), name, origin["experiment"], of_experiment=False)


def _distinct(runs: list[TrainedRun]) -> list[TrainedRun]:
    """With the experiment's name in labels that occur in several experiments; two files for one run are refused."""
    experiments: dict[str, set[str]] = {}
    for run in runs:
        experiments.setdefault(run.label, set()).add(run.experiment_name)
    named = [
        replace(run, label=f"{run.label} ({run.experiment_name})") if len(experiments[run.label]) > 1 else run
        for run in runs
    ]
    seen: dict[tuple[str, str], TrainedRun] = {}
    for run in named:
        other = seen.setdefault((run.label, run.name), run)
        if other is not run:
            raise UserError(f"{other.checkpoint} and {run.checkpoint} are both {run.label} {run.name}")
    return named
