"""The pretraining loop's content: a model, a linear layer that reads the attributes off its last features, the loss.

How far a model is from telling a clip's attributes is measured in a scale that all of them share (`Objective`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from baselines import ClipModel
from hybrid.config import PretrainConfig
from hybrid.data.loader import as_input
from hybrid.data.transforms import AugmentParams, Normalisation
from hybrid.pretraining.attributes import Attributes, turn_of
from hybrid.training.loop import RepeatableModule
from hybrid.training.optimiser import build_optimiser, parameter_groups

FARTHEST = 3.0
"""standard deviations: what lies farther out counts as this far, so that rare extremes do not rule the loss"""
LEAST_ENTROPY = 0.1
"""nats: a choice that hardly ever varies is not blown up"""


@dataclass(frozen=True)
class Scale:
    """What is usual, over the clips that are learned from: it makes 'knowing nothing of this clip' an error of 1."""

    centre: tuple[float, ...]
    spread: tuple[float, ...]
    """of each step of the path (0 and one number for all, so that it may be turned) and of each number"""
    entropy: tuple[float, ...]
    """nats, of each choice"""

    @classmethod
    def of(cls, attributes: Attributes, values_NV: np.ndarray) -> Scale:
        steps, numbers = len(attributes.steps), len(attributes.numbers)
        measured = values_NV[:, : steps + numbers].astype(np.float64)
        # A column without any value (no clip has an event) is never asked for.
        absent = np.isnan(measured).all(axis=0)
        measured[:, absent] = 0
        centre, spread = np.nanmean(measured, axis=0), np.nanstd(measured, axis=0)
        centre[:steps], spread[:steps] = 0, np.sqrt(np.mean(measured[:, :steps] ** 2))
        spread[spread < 1e-6] = 1
        entropy = []
        for column, choice in enumerate(attributes.choices, start=steps + numbers):
            share = np.bincount(values_NV[:, column].astype(int), minlength=len(choice.classes)) / len(values_NV)
            entropy.append(max(LEAST_ENTROPY, -float(np.sum(share[share > 0] * np.log(share[share > 0])))))
        return cls(tuple(centre.tolist()), tuple(spread.tolist()), tuple(entropy))

    def plain(self) -> dict[str, Any]:
        return {"centre": list(self.centre), "spread": list(self.spread), "entropy": list(self.entropy)}


class Objective(nn.Module):
    """Squared error of numbers and cross-entropy of choices, each over what is usual; groups count alike.

    1 is what answering the usual for every clip gives, 0 is all known.
    """

    def __init__(self, attributes: Attributes, scale: Scale) -> None:
        super().__init__()
        self.attributes, self.scale = attributes, scale
        self.steps = len(attributes.steps)
        self.measured = self.steps + len(attributes.numbers)
        self.register_buffer("centre", torch.tensor(scale.centre), persistent=False)
        self.register_buffer("spread", torch.tensor(scale.spread), persistent=False)
        self.group_of_measured = ["path"] * self.steps + [number.group for number in attributes.numbers]

    @property
    def num_outputs(self) -> int:
        return self.measured + sum(len(choice.classes) for choice in self.attributes.choices)

    def as_seen(self, values_BV: Tensor, views: list[AugmentParams]) -> Tensor:
        """The values of clips that are shown in these views."""
        turn_B22 = torch.as_tensor(np.stack([turn_of(view) for view in views])).to(values_BV)
        steps_BS2 = values_BV[:, : self.steps].unflatten(1, (-1, 2))
        return torch.cat([torch.bmm(steps_BS2, turn_B22).flatten(1), values_BV[:, self.steps :]], dim=1)

    def forward(self, outputs_BD: Tensor, values_BV: Tensor) -> dict[str, Tensor]:
        """The error of each group, in float32, and their mean as 'all'."""
        outputs_BD = outputs_BD.float()
        errors = self.errors_of_numbers(outputs_BD[:, : self.measured], values_BV[:, : self.measured])
        parts: dict[str, list[Tensor]] = {group: [] for group in self.attributes.groups}
        for group, error in zip(self.group_of_measured, errors, strict=True):
            parts[group].append(error)
        logits = outputs_BD[:, self.measured :].split([len(c.classes) for c in self.attributes.choices], dim=1)
        for column, choice in enumerate(self.attributes.choices):
            code_B = values_BV[:, self.measured + column].long()
            parts[choice.group].append(F.cross_entropy(logits[column], code_B) / self.scale.entropy[column])
        of_group = {group: torch.stack(errors).mean() for group, errors in parts.items()}
        return of_group | {"all": torch.stack(list(of_group.values())).mean()}

    def errors_of_numbers(self, outputs_BM: Tensor, values_BM: Tensor) -> Tensor:
        """(M,) mean squared error of each, over the clips that have it; 0 where none has."""
        wanted_BM = ((values_BM - self.centre) / self.spread).clamp(-FARTHEST, FARTHEST)
        there_BM = wanted_BM.isfinite()
        squared_BM = torch.where(there_BM, outputs_BM - wanted_BM.nan_to_num(), 0).square()
        return squared_BM.sum(0) / there_BM.sum(0).clamp(min=1)


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

    def _input(self, frames_BTHWC: Tensor, views: list[AugmentParams] | None = None) -> Tensor:
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
