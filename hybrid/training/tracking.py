"""Weights & Biases: config, learning curves, fold metrics, predictions. Offline unless asked; never a prompt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid.config import TrainConfig
from hybrid.errors import UserError

if TYPE_CHECKING:  # slow to import, and not needed to check a configuration
    import pandas as pd
    from pytorch_lightning.loggers import WandbLogger

MODES = ("offline", "online", "disabled")


def check_logger(config: TrainConfig) -> None:
    """Refuse, before anything trains, a mode that does not exist or an account that is not there."""
    mode = config.logger.mode
    if mode not in MODES:
        raise UserError(f"logger.mode must be one of {', '.join(MODES)}, not {mode!r}")
    if mode == "online":
        import wandb

        if not wandb.login(prompt=False, verify=False):
            raise UserError("logger=online needs a W&B account: run `wandb login` first, or set WANDB_API_KEY")


def open_logger(config: TrainConfig, settings: dict[str, Any], folder: Path, name: str) -> WandbLogger | None:
    """A logger for the run in `folder`, grouped by experiment; None where W&B is disabled.

    name: the run's in its experiment; before its slash is the arm. A run that is continued keeps its id, so that W&B
    shows one run.
    """
    if config.logger.mode == "disabled":
        return None
    import wandb
    from pytorch_lightning.loggers import WandbLogger

    run = wandb.init(
        project=config.logger.project,
        entity=config.logger.entity,
        group=config.experiment,
        job_type=name.partition("/")[0],
        name=name,
        id=re.sub(r"[^\w-]", "-", f"{config.experiment}-{name}"),
        resume="allow",
        reinit="finish_previous",
        dir=folder,
        mode=config.logger.mode,
        config=settings,
        settings=wandb.Settings(silent=True, console="off", disable_git=True),
    )
    return WandbLogger(experiment=run)


def close_logger(logger: WandbLogger | None, figures: dict[str, float], tables: dict[str, pd.DataFrame]) -> None:
    """Put the outcome's figures in the summary and its tables in the history, and close the run."""
    if logger is None:
        return
    import wandb

    run = logger.experiment
    run.summary.update(figures)
    for name, table in tables.items():
        run.log({name: wandb.Table(dataframe=table)})
    run.finish()
