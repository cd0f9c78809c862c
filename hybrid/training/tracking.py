"""Weights & Biases: config, learning curves, fold metrics, predictions. Offline unless asked; never a prompt."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
from pytorch_lightning.loggers import WandbLogger

from hybrid.config import TrainConfig
from hybrid.errors import UserError

MODES = ("offline", "online", "disabled")


def open_logger(config: TrainConfig, settings: dict[str, Any], folder: Path) -> WandbLogger | None:
    """A logger for the run in `folder`, grouped by experiment and model; None where W&B is disabled.

    A run that is continued keeps its id, so that W&B shows one run.
    """
    if config.logger.mode not in MODES:
        raise UserError(f"logger.mode must be one of {', '.join(MODES)}, not {config.logger.mode!r}")
    if config.logger.mode == "disabled":
        return None
    import wandb

    if config.logger.mode == "online" and not (os.environ.get("WANDB_API_KEY") or wandb.api.api_key):
        raise UserError("logger=online needs an account: run `wandb login`, or set WANDB_API_KEY")
    name = f"{config.model.name}/repeat{config.repeat}-fold{config.fold}"
    return WandbLogger(
        project=config.logger.project,
        entity=config.logger.entity,
        group=config.experiment,
        job_type=config.model.name,
        name=name,
        id=f"{config.experiment}-{name}".replace("/", "-").replace(" ", "_"),
        resume="allow",
        save_dir=folder,
        mode=config.logger.mode,
        config=settings,
        settings=wandb.Settings(silent=True, console="off"),
    )


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
