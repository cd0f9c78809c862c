"""The pretraining loop's content: a model, linear layers that read what is asked for off its features, the loss.

What is of the clip is read off the features that the classifier would see, what is of each frame off the model's time
steps. How far a model is from telling it is measured in a scale that all of them share (`Objective`).
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
from hybrid.data.loader import as_input, as_slice
from hybrid.data.transforms import AugmentParams, Normalisation
from hybrid.model.frame_values import FRAME_VALUES, QUANTITIES, VECTORS, FrameReader, columns_of, turned
from hybrid.pretraining.attributes import Attributes, turn_of
from hybrid.pretraining.pool import PoolClips
from hybrid.training.loop import RepeatableModule
from hybrid.training.optimiser import build_optimiser, parameter_groups

FARTHEST = 3.0
"""standard deviations: what lies farther out counts as this far, so that rare extremes do not rule the loss"""
LEAST_ENTROPY = 0.1
"""nats: a choice that hardly ever varies is not blown up"""
WEIGHTS = {"texture": 3.0, "relations": 3.0, "frames": 3.0}
"""of groups in the loss, where not 1: what is small in the picture, or asks for time, is learned last and needs more"""
TAUGHT = ("event", "relations")
"""groups that a part over time is taught on true values of frames: what follows from them alone"""
MANY = 256
"""clips a step that it is taught on. It is small beside the trunk, and needs more examples than a step has pictures:
with 16, it related true headings at .28 after 2000 steps, with 256 at .05."""
SHOWN = ("form", "texture")
"""groups that a second look is asked for by itself: where it only adds to a trunk that knows something of them, it
learns little more (of the grain .88, by itself .40)"""
LOOKED, LOOKED_FRAMES = 128, 4
"""clips a step, and frames of each, that a second look is shown besides, at the head's true place: it is small too, and
what it is to tell apart are heads, of which a step has but as many as clips"""
TOLD = 0.5
"""share of clips whose heads a second look is told the place of"""
NOISE = 0.5
"""at most, in standard deviations of what lies within clips, on the true values that a part over time is taught on"""
WITHIN = 0.75
"""share of a frame's numbers' variation within clips in their error; the rest is between the means of clips.

Of the variance of a frame's speed, amplitude and tail less than a fifth lies within clips. So a model that answers a
clip's mean for all of its frames would have little left to learn: each part is measured by its own variance."""


@dataclass(frozen=True)
class Scale:
    """What is usual, over the clips that are learned from: it makes 'knowing nothing of this clip' an error of 1."""

    centre: tuple[float, ...]
    spread: tuple[float, ...]
    """of each number and relation of a clip"""
    entropy: tuple[float, ...]
    """nats, of each choice"""
    frame_centre: tuple[float, ...]
    frame_spread: tuple[float, ...]
    """of each number of a frame; the two of a vector have 0 and one spread, so that it may be turned"""
    within: tuple[float, ...]
    """share of the variance of each number of a frame that lies within clips"""

    @classmethod
    def of(cls, attributes: Attributes, values_NV: np.ndarray) -> Scale:
        measured_NM, codes_NC, frames_NTD = split(attributes, values_NV)
        measured_NM = measured_NM.astype(np.float64)
        # A column without any value (no clip has an event) is never asked for.
        measured_NM[:, np.isnan(measured_NM).all(axis=0)] = 0
        centre, spread = np.nanmean(measured_NM, axis=0), np.nanstd(measured_NM, axis=0)
        spread[spread < 1e-6] = 1
        entropy = []
        for code_N, choice in zip(codes_NC.T, attributes.choices, strict=True):
            share = np.bincount(code_N.astype(int), minlength=len(choice.classes)) / len(values_NV)
            entropy.append(max(LEAST_ENTROPY, -float(np.sum(share[share > 0] * np.log(share[share > 0])))))

        frames_NTD = frames_NTD.astype(np.float64)
        frame_centre = frames_NTD.mean((0, 1))
        signed = 2 * len(VECTORS) + 1  # the bend too, which a mirror turns
        frame_centre[:signed] = 0
        around = frames_NTD - frame_centre
        total, inside = (
            _alike(np.mean(square, (0, 1))) for square in (around**2, (around - around.mean(1, keepdims=True)) ** 2)
        )
        total = np.maximum(total, 1e-12)
        within = np.clip(inside / total, 1e-4, 1 - 1e-4)
        lists = (centre, spread, np.array(entropy), frame_centre, np.sqrt(total), within)
        return cls(*(tuple(array.tolist()) for array in lists))

    def plain(self) -> dict[str, Any]:
        return {name: list(values) for name, values in vars(self).items()}


def split(attributes: Attributes, values_NV):
    """Values, an array or a tensor: numbers and relations (N, M), the codes of choices (N, C), frames (N, T, D)."""
    measured, chosen = len(attributes.measured), len(attributes.choices)
    frames_NTD = values_NV[:, measured + chosen :].reshape(len(values_NV), attributes.num_frames, len(FRAME_VALUES))
    return values_NV[:, :measured], values_NV[:, measured : measured + chosen], frames_NTD


def _alike(variance_D: np.ndarray) -> np.ndarray:
    """One for the two numbers of a vector."""
    vectors = variance_D[: 2 * len(VECTORS)].reshape(-1, 2).mean(1).repeat(2)
    return np.concatenate([vectors, variance_D[len(vectors) :]])


class Objective(nn.Module):
    """Squared error of numbers and cross-entropy of choices, each over what is usual.

    1 is what answering the usual for every clip gives, 0 is all known. Groups count by WEIGHTS.
    """

    def __init__(self, attributes: Attributes, scale: Scale) -> None:
        super().__init__()
        self.attributes, self.scale = attributes, scale
        for name, values in vars(scale).items():
            self.register_buffer(name, torch.tensor(values), persistent=False)
        self.group_of_measured = list(attributes.measured.values())

    @property
    def num_outputs(self) -> int:
        """Of the clip; those of its frames come behind."""
        return len(self.group_of_measured) + sum(len(choice.classes) for choice in self.attributes.choices)

    def as_seen(self, values_BV: Tensor, views: list[AugmentParams], side: int) -> Tensor:
        """The values of clips of this side (px) that are shown in these views."""
        turn_B22 = torch.as_tensor(np.stack([turn_of(view) for view in views])).to(values_BV)
        *_, frames_BTD = split(self.attributes, values_BV)
        frames_BTD = turned(frames_BTD, turn_B22)
        right_down_B2 = frames_BTD.new_tensor([(view.shift[1], view.shift[0]) for view in views]) * (2 / side)
        frames_BTD[..., columns_of("head")] += right_down_B2[:, None]
        of_clip = values_BV[:, : values_BV.shape[1] - frames_BTD[0].numel()]
        return torch.cat([of_clip, frames_BTD.flatten(1)], dim=1)

    def forward(self, outputs_BO: Tensor, values_BV: Tensor) -> dict[str, Tensor]:
        """The error of each group, in float32, and their weighted mean as 'all'; behind it, what some are made of."""
        outputs_BO = outputs_BO.float()
        measured_BM, codes_BC, frames_BTD = split(self.attributes, values_BV)
        frames_of = outputs_BO[:, self.num_outputs :].unflatten(1, (-1, len(FRAME_VALUES)))
        parts: dict[str, list[Tensor]] = {}
        errors = self.errors_of_numbers(outputs_BO[:, : measured_BM.shape[1]], measured_BM)
        for group, error in zip(self.group_of_measured, errors, strict=True):
            parts.setdefault(group, []).append(error)
        sizes = [len(choice.classes) for choice in self.attributes.choices]
        logits = outputs_BO[:, measured_BM.shape[1] : self.num_outputs].split(sizes, dim=1)
        for column, choice in enumerate(self.attributes.choices):
            error = F.cross_entropy(logits[column], codes_BC[:, column].long()) / self.scale.entropy[column]
            parts.setdefault(choice.group, []).append(error)
        mean = {part: torch.stack(errors).mean() for part, errors in parts.items()}
        related = {f"relations_{kind}": mean.pop(kind) for kind in self.attributes.relations}
        by_frame, within = self.errors_of_frames(frames_of, frames_BTD)
        found = mean | {"frames": by_frame}
        if related:
            found["relations"] = torch.stack(list(related.values())).mean()
        of_group = {group: found[group] for group in self.attributes.groups}
        total = sum(self.share(group) * error for group, error in of_group.items())
        return of_group | {"all": total} | related | within

    def share(self, group: str) -> float:
        """Of a group in the whole."""
        return WEIGHTS.get(group, 1.0) / sum(WEIGHTS.get(each, 1.0) for each in self.attributes.groups)

    def errors_of_numbers(self, outputs_BM: Tensor, values_BM: Tensor) -> Tensor:
        """(M,) mean squared error of each, over the clips that have it; 0 where none has."""
        wanted_BM = ((values_BM - self.centre) / self.spread).clamp(-FARTHEST, FARTHEST)
        there_BM = wanted_BM.isfinite()
        squared_BM = torch.where(there_BM, outputs_BM - wanted_BM.nan_to_num(), 0).square()
        return squared_BM.sum(0) / there_BM.sum(0).clamp(min=1)

    def errors_of_frames(self, outputs_BTD: Tensor, values_BTD: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The error, and what of it lies within clips, by quantity; all quantities count alike."""
        error_BTD = outputs_BTD - self.frames_wanted(values_BTD)
        of_clip_B1D = error_BTD.mean(dim=1, keepdim=True)
        between_D = of_clip_B1D.square().mean((0, 1)) / (1 - self.within)
        within_D = (error_BTD - of_clip_B1D).square().mean((0, 1)) / self.within
        within = {f"within_{name}": within_D[columns_of(name)].mean() for name in QUANTITIES}
        between = torch.stack([between_D[columns_of(name)].mean() for name in QUANTITIES])
        inside = torch.stack(list(within.values()))
        return ((1 - WITHIN) * between + WITHIN * inside).mean(), within

    def frames_wanted(self, values_BTD: Tensor) -> Tensor:
        """What the outputs for frames should be."""
        return ((values_BTD - self.frame_centre) / self.frame_spread).clamp(-FARTHEST, FARTHEST)

    def noisy(self, wanted_BTD: Tensor) -> Tensor:
        """What the outputs for frames should be, each clip's with noise of its own strength."""
        loud_B11 = NOISE * torch.rand(len(wanted_BTD), 1, 1, device=wanted_BTD.device)
        return wanted_BTD + loud_B11 * self.within.sqrt() * torch.randn_like(wanted_BTD)

    def of_clip(self, of_clip_BO: Tensor, values_BV: Tensor) -> dict[str, Tensor]:
        """The same errors where frames are not asked for: theirs mean nothing."""
        frames = self.attributes.num_frames * len(FRAME_VALUES)
        return self(torch.cat([of_clip_BO, of_clip_BO.new_zeros(len(of_clip_BO), frames)], dim=1), values_BV)


class PretrainModule(RepeatableModule):
    """What is asked for is read linearly off what the classifier would see, and off the time steps before it, so that
    these come to hold it.

    The classifier itself has no part in it and does not learn.
    """

    def __init__(
        self, model: ClipModel, objective: Objective, normalisation: Normalisation, config: PretrainConfig
    ) -> None:
        super().__init__(config.seed, config.protocol.augment)
        model.get_submodule(model.classifier).requires_grad_(False)
        self.model, self.objective, self.normalisation, self.config = model, objective, normalisation, config
        self.reader = nn.ModuleDict({"clip": nn.Linear(model.num_features, objective.num_outputs)})
        if model.reads_frames:
            model.set_units(objective.frame_spread)
            if width := model.shown_width:
                self.reader["shown"] = nn.Linear(width, objective.num_outputs)
        else:
            self.reader["frames"] = FrameReader(self._steps())

    @torch.no_grad()
    def _steps(self) -> list[tuple[int, int]]:
        """Of each pathway of the model, frames that a time step stands for, and its width. The model stays as it is."""
        frames, side = self.objective.attributes.num_frames, self.config.protocol.crop_size
        model, training = self.model, self.model.training
        clip_BCTHW = next(model.parameters()).new_zeros(1, model.in_channels, frames, side, side)
        features = model.eval().forward_features(clip_BCTHW[:, :, as_slice(model.used_frames(frames))])
        steps = model.time_steps(features, frames)
        model.train(training)
        return [(frames // x_BSW.shape[1], x_BSW.shape[2]) for x_BSW in steps]

    def forward(self, clip_BCTHW: Tensor) -> Tensor:
        """Outputs (B, O) for the objective: of the clip, then of every frame."""
        return self.outputs(self.model.forward_features(self.model.checked(clip_BCTHW)))

    def outputs(self, features) -> Tensor:
        steps = self.model.time_steps(features, self.objective.attributes.num_frames)
        read = self.model.read_frames if self.model.reads_frames else self.reader["frames"]
        of_clip_BO = self.reader["clip"](self.model.forward_head(features, pre_logits=True))
        return torch.cat([of_clip_BO, read(steps).flatten(1)], dim=1)

    def taught(self, features, values_BV: Tensor) -> dict[str, Tensor]:
        """The errors of TAUGHT groups where a model that goes on from what it reads of frames is given true values with
        noise in its place: its part over time learns what to do with them before it can read them.

        They may be of any clips: of these no picture is looked at, and the model's other features are the mean over the
        batch, as of a clip of which nothing else is known."""
        noisy_BTD = self.noisy(values_BV)
        usual = [x.detach().mean(0, keepdim=True).expand(len(values_BV), *x.shape[1:]) for x in features]
        of_clip_BO = self.reader["clip"](self.model.forward_head(usual, pre_logits=True, frames_BTD=noisy_BTD))
        errors = self.objective.of_clip(of_clip_BO, values_BV)
        return {f"taught_{group}": errors[group] for group in TAUGHT if group in errors}

    def noisy(self, values_BV: Tensor) -> Tensor:
        """True values of frames with noise, (B, T, D)."""
        *_, frames_BTD = split(self.objective.attributes, values_BV)
        return self.objective.noisy(self.objective.frames_wanted(frames_BTD))

    def told(self, values_BV: Tensor) -> Tensor:
        """The same of a TOLD share of clips, NaN for the others: where a model that looks again is to look."""
        told_B11 = torch.rand(len(values_BV), 1, 1, device=values_BV.device) < TOLD
        return torch.where(told_B11, self.noisy(values_BV), torch.nan)

    @property
    def pool(self) -> PoolClips:
        """What is learned from, as far as it has grown."""
        return self.trainer.train_dataloader.dataset

    def some_values(self) -> Tensor:
        """Of MANY clips of the pool, drawn anew every step."""
        drawn = torch.randint(len(self.pool), (MANY,))
        return torch.from_numpy(self.pool.values_of(drawn.numpy())).to(self.device)

    def taught_look(self) -> dict[str, Tensor]:
        """The errors of SHOWN groups of a second look at some frames of LOOKED clips of the pool."""
        drawn = torch.randint(len(self.pool), (LOOKED,)).numpy()
        frames = torch.randperm(self.objective.attributes.num_frames)[:LOOKED_FRAMES].sort().values
        values_BV = torch.from_numpy(self.pool.values_of(drawn)).to(self.device)
        frames_BTHWC = torch.from_numpy(self.pool.frames_NTHWC[drawn[:, None], frames.numpy()]).to(self.device)
        shown_BX = self.model.shown_at(as_input(frames_BTHWC, self.normalisation), self.noisy(values_BV)[:, frames])
        errors = self.objective.of_clip(self.reader["shown"](shown_BX), values_BV)
        return {group: errors[group] for group in SHOWN}

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        clips_B, visits_B, frames_BTHWC, values_BV = batch
        views = self.views(clips_B, visits_B, side=frames_BTHWC.shape[2])
        values_BV = self.objective.as_seen(values_BV, views, side=frames_BTHWC.shape[2])
        told = {"told_BTD": self.told(values_BV)} if self.model.reads_frames else {}
        features = self.model.forward_features(self.model.checked(self._input(frames_BTHWC, views)), **told)
        errors = self.objective(self.outputs(features), values_BV)
        loss = errors["all"]
        if self.model.reads_frames:
            for name, error in self.taught(features, self.some_values()).items():
                errors[name] = error
                # every clip counts alike, of whichever of the two batches it is
                weight = self.objective.share(name.removeprefix("taught_")) * MANY / len(clips_B)
                loss = loss + weight * error
        if "shown" in self.reader:
            of_look = self.objective.of_clip(self.reader["shown"](self.model.shown(features)), values_BV)
            errors |= {f"shown_{group}": of_look[group] for group in SHOWN}
            loss = loss + sum(self.objective.share(group) * of_look[group] for group in SHOWN)
            for group, error in self.taught_look().items():
                errors[f"looked_{group}"] = error
                loss = loss + self.objective.share(group) * LOOKED / len(clips_B) * error
        self._log("train", errors, len(clips_B))
        self.log("learning_rate", self.optimizers().param_groups[0]["lr"], on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        # Clips of other donors and microscopes are watched, and choose nothing: the last epoch is what is kept.
        clips_B, _, frames_BTHWC, values_BV = batch
        outputs_BO = self(self._input(frames_BTHWC))
        self._log("test", self.objective(outputs_BO, values_BV), len(clips_B))

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
