"""The pretraining loop's content: a model, a linear layer that reads the attributes off its last features, the loss."""

from __future__ import annotations

from torch import Tensor, nn

from baselines import ClipModel
from hybrid.data.augment import View
from hybrid.data.normalisation import Normalisation
from hybrid.pretraining.config import PretrainConfig
from hybrid.pretraining.objective import Objective
from hybrid.training.batches import as_input
from hybrid.training.loop import RepeatableModule
from hybrid.training.optimiser import build_optimiser, parameter_groups


class PretrainModule(RepeatableModule):
    """All attributes are read linearly off what the classifier would see, so that this comes to hold them.

    The classifier itself has no part in it and does not learn.
    """

    def __init__(
        self, model: ClipModel, objective: Objective, normalisation: Normalisation, config: PretrainConfig
    ) -> None:
        super().__init__(config.seed, config.protocol.augment)
        model.get_submodule(model.classifier).requires_grad_(False)
        self.model, self.objective, self.normalisation, self.config = model, objective, normalisation, config
        self.reader = nn.Linear(model.num_features, objective.num_outputs)

    def forward(self, clip_BCTHW: Tensor) -> Tensor:
        """Outputs (B, D) for the objective."""
        features = self.model.forward_features(self.model.checked(clip_BCTHW))
        return self.reader(self.model.forward_head(features, pre_logits=True))

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        clips_B, visits_B, frames_BTHWC, values_BV = batch
        views = self.views(clips_B, visits_B, side=frames_BTHWC.shape[2])
        outputs_BD = self(self._input(frames_BTHWC, views))
        errors = self.objective(outputs_BD, self.objective.as_seen(values_BV, views))
        self._log("train", errors, len(clips_B))
        self.log("learning_rate", self.optimizers().param_groups[0]["lr"], on_step=False, on_epoch=True)
        return errors["all"]

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        # Clips of other donors and microscopes are watched, and choose nothing: the last epoch is what is kept.
        clips_B, _, frames_BTHWC, values_BV = batch
        outputs_BD = self(self._input(frames_BTHWC))
        self._log("test", self.objective(outputs_BD, values_BV), len(clips_B))

    def _input(self, frames_BTHWC: Tensor, views: list[View] | None = None) -> Tensor:
        used = self.model.used_frames(frames_BTHWC.shape[1])
        return as_input(frames_BTHWC, self.normalisation, views, used)

    def _log(self, stage: str, errors: dict[str, Tensor], number: int) -> None:
        named = {f"{stage}/{group}": error for group, error in errors.items()}
        self.log_dict(named, on_step=False, on_epoch=True, batch_size=number, sync_dist=True)

    def configure_optimizers(self):
        recipe, steps = self.config.model.recipe, int(self.trainer.estimated_stepping_batches)
        groups = parameter_groups(self.model, recipe)
        groups.append({"params": list(self.reader.parameters()), "names": ["reader"], "lr": recipe.learning_rate})
        groups[-1]["weight_decay"] = 0.0
        optimiser, schedule = build_optimiser(groups, recipe, steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
