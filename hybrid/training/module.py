"""The training loop's content: loss, augmentation and schedule. Lightning turns the crank."""

from __future__ import annotations

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hybrid.config import TrainConfig
from hybrid.training.batches import ResidentClips
from hybrid.training.optimiser import build_optimiser


def distribution_mse(logits_BK: Tensor, targets_BK: Tensor) -> Tensor:
    """Mean squared error between softmax of the logits and the panel's votes, over clips and grades."""
    return F.mse_loss(logits_BK.float().softmax(-1), targets_BK)


class GradeModule(pl.LightningModule):
    """One model, the clips it learns from and the panel's votes.

    Whatever is random in a step (augmentation, dropout, drop path) follows from (seed, epoch, step), so that a run
    continued from the checkpoint of an epoch ends with the numbers of a run that was never interrupted.
    """

    def __init__(self, model: nn.Module, clips: ResidentClips, targets_NK: Tensor, config: TrainConfig, seed: int):
        super().__init__()
        self.model = model
        self.clips = clips
        self.register_buffer("targets_NK", targets_NK, persistent=False)
        self.config = config
        self.seed = seed

    @property
    def fine_tuned(self) -> bool:
        """Whether the model started from weights that were trained before."""
        return self.config.model.pretrained != "none"

    def train(self, mode: bool = True) -> GradeModule:
        super().train(mode)
        if self.fine_tuned and self.config.model.recipe.frozen_batch_norm:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def on_train_batch_start(self, batch: list[Tensor], step: int) -> None:
        # Every step, for whatever else draws numbers between them (a data loader does when it starts) then does not
        # matter. The rank keeps dropout different between the processes that share a step.
        torch.manual_seed(hash((self.seed, self.current_epoch, step, self.global_rank)) % 2**63)

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        (clips_B,) = batch
        clip_BCTHW = self.clips.batch(
            clips_B, self.device, self.config.protocol.augment, self.seed, self.current_epoch
        )
        loss = distribution_mse(self.model(clip_BCTHW), self.targets_NK[clips_B])
        self.log("train/mse", loss, on_step=False, on_epoch=True, batch_size=len(clips_B), sync_dist=True)
        self.log("learning_rate", self.optimizers().param_groups[0]["lr"], on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        # The held-out fold is watched, and chooses nothing: the last epoch is what is evaluated.
        (clips_B,) = batch
        loss = distribution_mse(self.model(self.clips.batch(clips_B, self.device)), self.targets_NK[clips_B])
        self.log("test/mse", loss, batch_size=len(clips_B), sync_dist=True)

    def configure_optimizers(self):
        steps = int(self.trainer.estimated_stepping_batches)
        optimiser, schedule = build_optimiser(self.model, self.config.model.recipe, steps, self.fine_tuned)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
