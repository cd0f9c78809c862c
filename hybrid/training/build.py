"""From a configuration to a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from omegaconf import OmegaConf

from baselines import ClipModel
from baselines.checkpoints import read_checkpoint
from baselines.hub import fetch
from baselines.registry import PretrainedWeights, is_shipped
from baselines.weights import official_weights, shipped_files
from hybrid import create_model, get_entry, list_models
from hybrid.config import TrainConfig, parts_of_a_batch
from hybrid.data.transforms import WAYS, Normalisation
from hybrid.device import choose_machine
from hybrid.errors import UserError
from hybrid.training.losses import get_loss
from hybrid.training.optimiser import check_classifier, check_frozen


def build_model(config: TrainConfig, num_grades: int) -> ClipModel:
    """The configured model, with published weights or, from torch's generator, fresh ones."""
    return _build(config, num_grades, config.model.pretrained)


def input_normalisation(config: TrainConfig) -> Normalisation:
    """What turns stored frames into the model's input; 'published' is as its variant's weights were trained.

    A frozen network cannot learn another way, and is always shown clips the published one.
    """
    entry = get_entry(config.model.name)
    way = "published" if entry.family == "frozen" else config.protocol.normalise
    return Normalisation(*entry.mean_std(config.model.options.get("variant")), way)


def check_models(configs: Iterable[TrainConfig]) -> list[tuple[TrainConfig, ClipModel]]:
    """`check_model` of each, and whether weights in files can be read; one UserError with all that is wrong.

    Needs no clips and no network: what is wrong here is told before a data set is simulated or weights are fetched.
    """
    wrong: list[str] = []
    models = []
    for config in configs:
        try:
            models.append((config, check_model(config)))
        except UserError as error:
            wrong.append(str(error))
            continue
        if config.model.pretrained not in ("none", "official") and not is_shipped(config.model.pretrained):
            try:
                read_checkpoint(Path(config.model.pretrained))
            except ValueError as error:
                wrong.append(f"{config.arm}: {error}")
    if wrong:
        raise UserError("\n".join(dict.fromkeys(wrong)))
    return models


def fetch_weights(models: Iterable[tuple[TrainConfig, ClipModel]]) -> None:
    """See that the published weights these want are there; one UserError with all that are not to be had.

    Here, one file after the other, so that runs side by side find them.
    """
    users: dict[PretrainedWeights, list[str]] = {}
    for config, model in models:
        if config.model.pretrained == "official":
            for weights in official_weights(model, get_entry(config.model.name), config.model.options.get("variant")):
                users.setdefault(weights, []).append(config.arm)
    missing = [f"{', '.join(arms)}: {why}" for weights, arms in users.items() if (why := _why_missing(weights))]
    if missing:
        missing += ["or give a file by its path, model.pretrained=PATH, or take fresh weights, model.pretrained=none"]
        raise UserError("\n".join(missing))


def _why_missing(weights: PretrainedWeights) -> str:
    """'' where they are there now."""
    try:
        fetch(weights)
    except ValueError as error:
        return str(error)
    return ""


def check_model(config: TrainConfig) -> ClipModel:
    """Refuse a machine that is not there, or what cannot be built or trained so; the model, without weights."""
    machine = choose_machine(config.accelerator, config.protocol.precision)
    check_devices(config.devices, machine.device.type)
    parts_of_a_batch(config)
    if config.arm != config.model.name and config.arm in [*list_models(), *list_models("frozen")]:
        raise UserError(f"arm {config.arm!r} is the name of a model, which {config.model.name!r} cannot go by")
    if config.protocol.normalise not in WAYS:
        raise UserError(f"protocol.normalise must be one of {', '.join(WAYS)}, not {config.protocol.normalise!r}")
    get_loss(config.model.recipe.loss)
    check_frozen(config.model)
    check_classifier(config.model)
    pretrained = config.model.pretrained
    if pretrained == "official" and config.model.size != "paper":
        raise UserError(
            f"model.pretrained=official: there are no published weights of size {config.model.size!r}; "
            "protocol.size=paper has them, and tiny model.pretrained=simulated"
        )
    named = pretrained in ("none", "official") or is_shipped(pretrained)
    if not named and not Path(pretrained).exists():
        made = (
            f"; python tools/pretrain.py model={config.model.name} makes one" if "/pretraining-" in pretrained else ""
        )
        raise UserError(
            f"model.pretrained must be none, official, simulated or a path; there is no {pretrained!r}{made}"
        )
    with torch.device("meta"):
        model = _build(config, num_grades=2, pretrained="none")
    with told_of_model(config.model.name):
        shipped_files(model, get_entry(config.model.name), pretrained, config.model.size)
    if pretrained == "official" and not official_weights(model, get_entry(config.model.name)):
        raise UserError(f"model.pretrained=official: {config.model.name} has no published weights")
    return model


def check_devices(devices: int, kind: str) -> None:
    """Refuse more than there are; on a CPU they are processes, of which there may be any number."""
    there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(kind, devices)
    if devices > there:
        raise UserError(f"devices={devices}: torch finds {there} on this machine; give as many or fewer")


def _build(config: TrainConfig, num_grades: int, pretrained: str) -> ClipModel:
    with told_of_model(config.model.name):
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
    model.frame_rate = config.model.frame_rate
    return model


@contextmanager
def told_of_model(name: str) -> Iterator[None]:
    """What is wrong with a model's options or weights is a UserError that names it."""
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        raise UserError(f"model {name!r} cannot be built: {error}") from error
