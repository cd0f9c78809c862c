"""The training loop's content: loss, augmentation and schedule. Lightning turns the crank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import update_bn

from baselines import ClipModel
from hybrid.config import TrainConfig
from hybrid.data.loader import InMemoryClips, sent
from hybrid.errors import UserError
from hybrid.training.classifier_start import fit_classifier
from hybrid.training.loop import RepeatableModule
from hybrid.training.losses import get_loss, mse
from hybrid.training.optimiser import build_optimiser, freeze, freeze_batchnorm, parameter_groups


class GradeModule(RepeatableModule):
    """One model, the clips it learns from and the panel's votes."""

    def __init__(
        self,
        model: ClipModel,
        clips: InMemoryClips,
        targets_NK: Tensor,
        config: TrainConfig,
        seed: int,
        train_clips: np.ndarray | None = None,
    ):
        """train_clips: the numbers of those that it learns from, which a classifier may be fitted to first."""
        super().__init__(seed, config.protocol.augment)
        freeze(model, config.model.recipe.frozen)
        self.loss = get_loss(config.model.recipe.loss)
        self.model = model
        self.clips = clips
        self.register_buffer("targets_NK", targets_NK, persistent=False)
        self.config = config
        self.train_clips = train_clips

    def on_fit_start(self) -> None:
        self.clips.to(self.device)
        recipe = self.config.model.recipe
        if recipe.classifier == "fitted" and self.trainer.ckpt_path is None:  # a run that goes on has its own
            if recipe.frozen == "none":
                # Training soon has batch normalisation by the statistics of these clips; features by those of the clips
                # that were pretrained on would be gone by then, and the classifier fitted to them with them.
                mixed = np.random.default_rng(self.seed).permutation(self.train_clips)  # neighbours are alike
                update_bn(self._batches(mixed), self.model)
            classifier = self.model.get_submodule(self.model.classifier)
            targets_NK = self.targets_NK[torch.as_tensor(self.train_clips, device=self.device)]
            fit_classifier(classifier, self._features(self.train_clips), targets_NK)

    @torch.no_grad()
    def _features(self, clips: np.ndarray) -> Tensor:
        """(N, D) of these clips as they are: what the classifier is given."""
        training = self.model.training
        self.model.eval()
        features = [
            self.model.forward_head(self.model.forward_features(clip_BCTHW), True).float()
            for clip_BCTHW in self._batches(clips)
        ]
        self.model.train(training)
        return torch.cat(features)

    def _batches(self, clips: np.ndarray) -> Iterator[Tensor]:
        """These clips as they are, in batches as large as one another, for batch normalisation counts each as one."""
        for clips_B in np.array_split(clips, -(-len(clips) // self.config.protocol.batch_size)):
            yield self.clips.batch(torch.as_tensor(clips_B), self.device)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if self.train_clips is not None:
            checkpoint["train_clips"] = torch.as_tensor(self.train_clips)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        begun = checkpoint.get("train_clips")  # not there in those of before it was
        if begun is not None and not np.array_equal(begun, self.train_clips):
            raise UserError(
                f"{self.trainer.default_root_dir}: was begun on other training clips; folds.csv of the experiment was "
                "changed since: put it back, or remove that folder to begin the run anew"
            )

    def on_train_epoch_start(self) -> None:
        # Lightning brings back the modes it found before the validation, and otherwise leaves them alone.
        freeze_batchnorm(self.model, self.config.model.recipe.frozen)

    def transfer_batch_to_device(self, batch: list[Tensor], device, dataloader_idx: int) -> list[Tensor]:
        # Numbers of clips are read here, to look up their views; a GPU would have to be waited for to give them back.
        return batch

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        clips_B, visits_B = batch
        views = self.views(clips_B, visits_B, self.clips.side)
        target_BK = self.targets_NK[sent(clips_B, self.device)]
        logits_BK, parts = self.model.grade_loss(self.clips.batch(clips_B, self.device, views), target_BK, self.loss)
        error = mse(logits_BK, target_BK)
        losses = {f"train/{name}_loss": part for name, part in parts.items()} if len(parts) > 1 else {}
        self.log_at_end({"train/mse": error, **losses, "learning_rate": self.optimizers().param_groups[0]["lr"]})
        return sum(parts.values())

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        # The held-out fold is watched, and chooses nothing: the last epoch is what is evaluated.
        (clips_B,) = batch
        error = mse(self.model(self.clips.batch(clips_B, self.device)), self.targets_NK[sent(clips_B, self.device)])
        self.log("test/mse", error, batch_size=len(clips_B), sync_dist=True)

    def configure_optimizers(self):
        recipe, steps = self.config.model.recipe, int(self.trainer.estimated_stepping_batches)
        optimiser, schedule = build_optimiser(parameter_groups(self.model, recipe), recipe, steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
