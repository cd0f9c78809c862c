"""One live line while a model is pretrained: the clips it has seen, its error and the time left."""

from __future__ import annotations

import pytorch_lightning as pl
from tqdm import tqdm


class SeenLine(pl.Callback):
    """Silent where the output is not a terminal. clips: the budget."""

    def __init__(self, label: str, clips: int) -> None:
        self.label, self.clips = label, clips
        self.bar: tqdm | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            seen = self.clips * trainer.current_epoch // trainer.max_epochs
            self.bar = tqdm(desc=self.label, total=self.clips, initial=seen, unit="clip", disable=None)

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, outputs, batch: list, step) -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(f"error {float(outputs['loss']):.3f} of 1", refresh=False)
            self.bar.update(len(batch[0]))

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if self.bar is not None:
            self.bar.close()
