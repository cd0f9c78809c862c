"""One live line over all runs of an experiment, with the time left."""

from __future__ import annotations

import time

import pytorch_lightning as pl
from tqdm import tqdm

from hybrid.experiment.folder import RunFolder
from hybrid.experiment.progress import Progress, clock


class LiveLine(pl.Callback):
    """Draws the line while one run trains; silent where the output is not a terminal."""

    def __init__(self, run: RunFolder, progress: Progress | None = None) -> None:
        self.run = run
        self.progress = progress or Progress([run])
        self.bar: tqdm | None = None
        self.started = time.perf_counter()

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.started, self.first_epoch = time.perf_counter(), trainer.current_epoch
        if trainer.is_global_zero:
            self.bar = tqdm(
                total=trainer.max_epochs,
                initial=trainer.current_epoch,
                disable=None,  # where the output is no terminal
                leave=False,
                bar_format="{desc} {bar:20} epoch {n_fmt}/{total_fmt} {postfix}",
            )
            self.draw(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self.bar is not None:
            self.bar.update()
            self.draw(trainer)

    def draw(self, trainer: pl.Trainer) -> None:
        spent = time.perf_counter() - self.started
        share = (self.bar.n - self.first_epoch) / max(1, trainer.max_epochs - self.first_epoch)
        left = self.progress.seconds_left(self.run, share, spent)
        metrics = trainer.callback_metrics
        error = f"training MSE {float(metrics['train/mse']):.4f}, " if "train/mse" in metrics else ""
        self.bar.set_description_str(
            f"[{self.progress.position() + 1}/{len(self.progress.runs)}] {self.run.label}", refresh=False
        )
        self.bar.set_postfix_str(
            f"{error}elapsed {clock(time.perf_counter() - self.progress.started)}, left {clock(left)}"
        )

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
