"""One run of an experiment, from its checks to its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hybrid.config import TrainConfig
from hybrid.errors import UserError
from hybrid.experiment.prepare import check, prepare
from hybrid.folders import run_folder
from hybrid.training.lightning import pl
from hybrid.training.run import train_run


class SettingsKept(pl.Callback):
    """Ends a run with a UserError where the experiment's recorded settings are not, or no longer, those of the run.

    Two programs may begin an experiment with different settings at once, each finding none there. From here on a run
    holds its lock, so that no program that comes later writes others over its own; and it has no result before they
    were looked at once more.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        check(self.config)

    def on_fit_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        run = run_folder(self.config)
        for path in (run.experiment.settings, run.experiment.folds, run.config):
            if not path.exists():
                raise UserError(f"{path}: was moved or removed while {run.label} trained; it has no result")
        check(self.config)


def do_run(config: TrainConfig, callbacks: Sequence[pl.Callback] = ()) -> dict[str, Any]:
    """Do the run that `config` names, or continue it, unless it is done; its result. callbacks: to watch it with."""
    dataset, folds_RN = prepare(config)
    return train_run(config, dataset, folds_RN[config.repeat], [SettingsKept(config), *callbacks])
