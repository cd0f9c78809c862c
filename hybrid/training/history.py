"""metrics.csv: a row an epoch, whole at any moment, and continued where a run is."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from hybrid.files import whole_file


class History(pl.Callback):
    """Keeps the learning curves in the checkpoint and writes them beside it.

    What is in the checkpoint is what the weights in it have seen, so a continued run repeats no row and drops none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []
        self.started = self.seconds = 0.0

    @property
    def training_seconds(self) -> float:
        return sum(row["seconds"] for row in self.rows)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows = list(state["rows"])

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.started = time.perf_counter()

    def on_validation_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        # An epoch's validation comes before its end, and is not training time.
        self.seconds = time.perf_counter() - self.started

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.rows.append({"epoch": trainer.current_epoch, **values, "seconds": self.seconds})
        if trainer.is_global_zero:
            with whole_file(self.path) as temporary, open(temporary, "w", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=list(self.rows[0]))
                writer.writeheader()
                writer.writerows(self.rows)
