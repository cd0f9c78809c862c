"""Weights & Biases: config, learning curves, fold metrics, predictions. Offline unless asked; never a prompt.

Whatever goes wrong with it, the run goes on: the error is named in a warning, and nothing more is tracked.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid.config import TrainConfig
from hybrid.errors import UserError

if TYPE_CHECKING:  # slow to import, and not needed to check a configuration
    import pandas as pd
    from pytorch_lightning.loggers import WandbLogger

MODES = ("offline", "online", "disabled")
FAILED, STOPPED = 1, 255
"""exit statuses that W&B shows as failed, and as stopped by its user"""
LONGEST_ID, LONGEST_NAME = 64, 128
"""W&B takes 128 characters; a table's artifact has the run's id and its own name in one"""


def check_logger(config: TrainConfig) -> None:
    """Refuse, before anything trains, a mode that does not exist or an account that is not there."""
    mode = config.logger.mode
    if mode not in MODES:
        raise UserError(f"logger.mode must be one of {', '.join(MODES)}, not {mode!r}")
    if mode == "online":
        import wandb

        if not wandb.login(prompt=False, verify=False):
            raise UserError("logger=online needs a W&B account: run `wandb login` first, or set WANDB_API_KEY")


class Tracker:
    """One run's W&B record in the run's `folder`. Where W&B is disabled or has failed, every call does nothing.

    name: the run's in its experiment; before its slash is the arm. A run that is continued keeps its id, so that W&B
    shows one run.
    """

    def __init__(self, config: TrainConfig, settings: dict[str, Any], folder: Path, name: str) -> None:
        self.config, self.settings, self.folder, self.name = config, settings, folder, name
        self.works = config.logger.mode != "disabled"

    @contextmanager
    def opened(self) -> Iterator[WandbLogger | None]:
        """For Lightning: a logger; None where nothing is tracked. Afterwards the record is closed, come what may."""
        with _staged_in(self.folder / "wandb"):
            logger = None
            with self._warned("cannot be opened"):
                logger = self._logger() if self.works else None
            status = FAILED
            try:
                yield logger
                status = 0
            except (KeyboardInterrupt, SystemExit):
                status = STOPPED
                raise
            finally:
                if logger is not None:
                    with self._warned("cannot be closed"):
                        logger.experiment.finish(exit_code=status)

    def log_outcome(
        self, logger: WandbLogger | None, figures: dict[str, float], tables: dict[str, pd.DataFrame]
    ) -> None:
        """Put the outcome's figures in the summary and its tables in the history."""
        with self._warned("did not take the outcome"):
            if logger is not None and self.works:
                import wandb

                logger.experiment.summary.update(figures)
                for name, table in tables.items():
                    logger.experiment.log({name: wandb.Table(dataframe=table)})

    def _logger(self) -> WandbLogger:
        if self.config.logger.mode == "offline":  # W&B would send its makers what it counts and what fails even then
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        from unittest.mock import patch

        import wandb
        from pytorch_lightning.loggers import WandbLogger

        tracker = self

        class Guarded(WandbLogger):
            """Lightning's, whose errors do not end a training."""

            def log_metrics(self, metrics, step=None) -> None:
                with tracker._warned("did not take an epoch"):
                    if tracker.works:
                        super().log_metrics(metrics, step)

            def finalize(self, status: str) -> None:
                with tracker._warned("cannot be closed"):
                    super().finalize(status)

        config = self.config
        # A run that is no launched job has no inputs to look for, and the import for it takes more than a second.
        with patch.object(wandb.Run, "_detect_and_apply_job_inputs", lambda run: None, create=True):
            run = wandb.init(
                project=config.logger.project,
                entity=config.logger.entity,
                group=config.experiment[:LONGEST_NAME],
                job_type=self.name.partition("/")[0][:LONGEST_NAME],
                name=self.name[-LONGEST_NAME:],
                id=run_id(config.experiment, self.name),
                resume="allow",
                reinit="finish_previous",
                dir=self.folder,
                mode=config.logger.mode,
                config=self.settings,
                settings=wandb.Settings(silent=True, console="off", disable_git=True),
            )
        return Guarded(experiment=run)

    @contextmanager
    def _warned(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.works = False
            print(
                f"warning: W&B {what} of {self.name} ({type(error).__name__}: {error}); the run goes on without it",
                file=sys.stderr,
            )


def run_id(experiment: str, name: str) -> str:
    """Of the run of this name in this experiment: readable, of the characters and the length that W&B allows."""
    words = re.sub(r"[^\w-]", "-", f"{experiment}-{name}", flags=re.ASCII)
    mark = hashlib.sha256(f"{experiment}/{name}".encode()).hexdigest()[:12]
    return f"{words[: LONGEST_ID - len(mark) - 1]}-{mark}"


@contextmanager
def _staged_in(folder: Path) -> Iterator[None]:
    """W&B's own files beside the run, unless the user says where: a home may be missing or not writable."""
    places = {"WANDB_DATA_DIR": folder / "staging", "WANDB_CACHE_DIR": folder / "cache"}
    ours = {name: str(place.resolve()) for name, place in places.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
