"""From a configuration to a model."""

from __future__ import annotations

from pathlib import Path

import torch
from omegaconf import OmegaConf

from baselines import ClipModel
from hybrid import create_model, get_entry, list_models
from hybrid.config import TrainConfig
from hybrid.data.transforms import WAYS, Normalisation
from hybrid.device import choose_machine
from hybrid.errors import UserError
from hybrid.training.losses import get_loss
from hybrid.training.optimiser import check_frozen


def build_model(config: TrainConfig, num_grades: int) -> ClipModel:
    """The configured model, with published weights or, from torch's generator, fresh ones."""
    return _build(config, num_grades, config.model.pretrained)


def input_normalisation(config: TrainConfig) -> Normalisation:
    """What turns stored frames into the model's input; 'published' is as its variant's weights were trained."""
    mean_std = get_entry(config.model.name).mean_std(config.model.options.get("variant"))
    return Normalisation(*mean_std, config.protocol.normalise)


def check_model(config: TrainConfig) -> None:
    """Refuse a machine or weights that are not there, or what cannot be built or trained so, before any training."""
    choose_machine(config.accelerator, config.protocol.precision)
    if config.arm != config.model.name and config.arm in list_models():
        raise UserError(f"arm {config.arm!r} is the name of a model, which {config.model.name!r} cannot go by")
    if config.protocol.normalise not in WAYS:
        raise UserError(f"protocol.normalise must be one of {', '.join(WAYS)}, not {config.protocol.normalise!r}")
    get_loss(config.model.recipe.loss)
    check_frozen(config.model)
    pretrained = config.model.pretrained
    if pretrained == "official" and config.model.size != "paper":
        raise UserError(f"model.pretrained=official: there are no published weights of size {config.model.size!r}")
    if pretrained not in ("none", "official") and not Path(pretrained).exists():
        raise UserError(f"model.pretrained must be none, official or a path; there is no {pretrained!r}")
    with torch.device("meta"):
        _build(config, num_grades=2, pretrained="none")


def _build(config: TrainConfig, num_grades: int, pretrained: str) -> ClipModel:
    try:
        model = create_model(
            config.model.name,
            config.model.size,
            num_grades=num_grades,
            num_frames=config.model.num_frames,
            crop_size=config.protocol.crop_size,
            in_channels=config.data.channels,
            pretrained=pretrained,
            **OmegaConf.to_container(config.model.options, resolve=True),
        )
    except (ValueError, TypeError, OSError) as error:
        raise UserError(f"model {config.model.name!r} cannot be built: {error}") from error
    model.frame_rate = config.model.frame_rate
    return model
