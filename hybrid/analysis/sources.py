"""Which trained models are asked, what each is called, and which clips it has not been trained on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

import pandas as pd

from hybrid.errors import UserError
from hybrid.evaluation.outcomes import read_groups
from hybrid.evaluation.pairs import tested_to_trained
from hybrid.experiment.folder import ExperimentFolder, RunFolder
from hybrid.predict import checkpoints_in
from hybrid.training.checkpoint import load_trained


@dataclass(frozen=True)
class Source:
    """One trained model's file.

    label: of all trainings of one model or variant, 'slowfast'. run: which of them, 'repeat0-fold1': runs of one name
    have been trained on the same clips. home: the experiment's name. of_experiment: whether the file lies in a
    finished run's folder, whose other files say on which clips it was tested.
    """

    checkpoint: Path
    label: str
    run: str
    home: str
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
        repeat, fold = map(int, re.findall(r"\d+", self.run))
        return 1000 * repeat + fold

    @cached_property
    def held_out(self) -> frozenset[str]:
        """The clips of the test fold, of a run of an experiment."""
        return frozenset(pd.read_csv(self.folder.predictions, dtype=str, keep_default_na=False)["clip"])

    @cached_property
    def test_to_train(self) -> float | None:
        """Clips of the test fold over those that could be trained on; None where nothing says."""
        if not self.of_experiment:
            return None
        return tested_to_trained([len(self.held_out)], len(read_groups(self.experiment)))


def find_sources(paths: Sequence[Path], labels: Sequence[str] = (), runs: Sequence[str] = ()) -> list[Source]:
    """The trained models in these files and folders, by label and run.

    labels: those wanted, all by default. runs: patterns such as 'repeat*-fold0', any run by default.
    """
    found = [_source(checkpoint) for path in paths for checkpoint in _checkpoints(path)]
    found = _told_apart(list(dict.fromkeys(found)))
    known = list(dict.fromkeys(source.label for source in found))
    if unknown := [label for label in labels if label not in known]:
        raise UserError(f"there is no model {unknown[0]!r}; there are: {', '.join(known)}")
    found = [source for source in found if not labels or source.label in labels]
    if runs:
        known = sorted({source.run for source in found})
        found = [source for source in found if any(fnmatchcase(source.run, run) for run in runs)]
        if not found:
            raise UserError(f"no run is called {' or '.join(runs)}; there are: {', '.join(known)}")
    order = list(labels) or known_order(known_labels(found))
    return sorted(found, key=lambda source: (order.index(source.label), source.seed))


def known_labels(sources: Sequence[Source]) -> list[str]:
    return list(dict.fromkeys(source.label for source in sources))


def known_order(labels: Sequence[str]) -> list[str]:
    """In the order of the registry, variants of a model after it."""
    from hybrid import list_models

    models = list_models()
    return sorted(labels, key=lambda label: (next((n for n, m in enumerate(models) if label.startswith(m)), 99), label))


def _checkpoints(path: Path) -> list[Path]:
    found = checkpoints_in(path)
    if not found:
        raise UserError(f"{path}: holds no finished run")
    return [checkpoint.resolve() for checkpoint in found]


def _source(checkpoint: Path) -> Source:
    run = RunFolder(checkpoint.parent)
    if re.fullmatch(r"repeat\d+-fold\d+", run.path.name) and run.done:
        return Source(checkpoint, run.arm, run.path.name, run.path.parent.parent.name, of_experiment=True)
    trained = load_trained(checkpoint)
    origin = {"repeat": 0, "fold": 0, "experiment": checkpoint.stem} | trained.origin
    run_name = f"repeat{origin['repeat']}-fold{origin['fold']}"
    return Source(checkpoint, origin.get("arm", trained.name), run_name, origin["experiment"], of_experiment=False)


def _told_apart(sources: list[Source]) -> list[Source]:
    """A label that occurs in several experiments gets the experiment's name; two files for one run are refused."""
    homes: dict[str, set[str]] = {}
    for source in sources:
        homes.setdefault(source.label, set()).add(source.home)
    named = [
        replace(source, label=f"{source.label} ({source.home})") if len(homes[source.label]) > 1 else source
        for source in sources
    ]
    seen: dict[tuple[str, str], Source] = {}
    for source in named:
        other = seen.setdefault((source.label, source.run), source)
        if other is not source:
            raise UserError(f"{other.checkpoint} and {source.checkpoint} are both {source.label} {source.run}")
    return named
