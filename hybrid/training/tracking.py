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


def open_logger(config: TrainConfig, settings: dict[str, Any], folder: Path) -> WandbLogger | None:
    """A logger for the run in `folder`, grouped by experiment and arm; None where W&B is disabled.

    A run that is continued keeps its id, so that W&B shows one run.
    """
    if config.logger.mode == "disabled":
        return None
    import wandb
    from pytorch_lightning.loggers import WandbLogger

    name = f"{config.arm}/repeat{config.repeat}-fold{config.fold}"
    run = wandb.init(
        project=config.logger.project,
        entity=config.logger.entity,
        group=config.experiment,
        job_type=config.arm,
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


def log_outcome(logger: WandbLogger | None, result: dict[str, Any], predictions: pd.DataFrame) -> None:
    """Put the fold's figures in the summary and its predictions in a table, and close the run."""
    if logger is None:
        return
    import wandb

    run = logger.experiment
    run.summary.update({f"fold/{name}": value for name, value in result["metrics"].items()})
    run.summary.update({name: result[name] for name in ("parameters", "gmac")})
    run.log({"predictions": wandb.Table(dataframe=predictions)})
    run.finish()
