"""One live line while one run trains: its epochs, its error and the time left."""

from __future__ import annotations

import pytorch_lightning as pl
from tqdm import tqdm


class LiveLine(pl.Callback):
    """Silent where the output is not a terminal."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.bar: tqdm | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            epochs = trainer.max_epochs
            self.bar = tqdm(desc=self.label, total=epochs, initial=trainer.current_epoch, unit="epoch", disable=None)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(f"training MSE {float(trainer.callback_metrics['train/mse']):.4f}", refresh=False)
            self.bar.update()

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if self.bar is not None:
            self.bar.close()
