"""What watches a training: the learning curves in metrics.csv, and one live line in a terminal."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hybrid.files import whole_file
from hybrid.training.lightning import pl


class History(pl.Callback):
    """Keeps the learning curves in the checkpoint and writes them beside it: metrics.csv, a row an epoch.

    What is in the checkpoint is what the weights in it have seen, so a continued run repeats no row and drops none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []
        self.started = self.seconds = 0.0

    @property
    def training_seconds(self) -> float:
        return sum(row["seconds"] for row in self.rows)

    @property
    def best(self) -> dict[str, float]:
        """The epoch with the lowest error on the held-out fold, and that error, which is optimistic for it."""
        row = min(self.rows, key=lambda row: row["test/mse"])
        return {"epoch": row["epoch"], "mse": row["test/mse"]}

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows = list(state["rows"])

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.started, self.seconds = time.perf_counter(), 0.0

    def on_validation_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        # An epoch's validation comes before its end, and is not training time.
        self.seconds = time.perf_counter() - self.started

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.seconds = self.seconds or time.perf_counter() - self.started  # there is no validation on no clips
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.rows.append({"epoch": trainer.current_epoch, **values, "seconds": self.seconds})
        if trainer.is_global_zero:
            with whole_file(self.path) as temporary, open(temporary, "w", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=list(self.rows[0]))
                writer.writeheader()
                writer.writerows(self.rows)


class LiveLine(pl.Callback):
    """A run's epochs, its error and the time left. Silent where the output is not a terminal."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.bar: tqdm | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            self.bar = self.opened(trainer.current_epoch, trainer.max_epochs)

    def opened(self, done: int, epochs: int) -> tqdm:
        return tqdm(desc=self.label, total=epochs, initial=done, unit="epoch", disable=None)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(f"training MSE {float(trainer.callback_metrics['train/mse']):.4f}", refresh=False)
            self.bar.update()

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if self.bar is not None:
            self.bar.close()


class SeenLine(LiveLine):
    """The same of a pretraining, by the clips it has seen. clips: the budget."""

    def __init__(self, label: str, clips: int) -> None:
        super().__init__(label)
        self.clips = clips

    def opened(self, done: int, epochs: int) -> tqdm:
        return tqdm(desc=self.label, total=self.clips, initial=self.clips * done // epochs, unit="clip", disable=None)

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, outputs, batch: list, step) -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(f"error {float(outputs['loss']):.3f} of 1", refresh=False)
            self.bar.update(len(batch[0]))

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        pass  # clips are what it counts
