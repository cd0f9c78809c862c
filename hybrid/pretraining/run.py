"""One pretraining: simulate what is missing, go through the budget of clips, keep the last weights."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from baselines import ClipModel
from baselines.weights import shipped_files, shipped_index
from hybrid import get_entry
from hybrid.config import PretrainConfig, check_values, parts_of_a_batch, processors, training_rules
from hybrid.data.clip import ClipSpec
from hybrid.data.loader import as_input
from hybrid.data.paths import is_dataset
from hybrid.device import choose_machine
from hybrid.display.clock import clock
from hybrid.errors import UserError
from hybrid.folders import RunFolder, arm_folder
from hybrid.kept_settings import record_settings, run_settings
from hybrid.pretraining.attributes import TARGETS, Attributes
from hybrid.pretraining.module import Objective, PretrainModule, Scale
from hybrid.pretraining.pool import (
    GrowingEpochs,
    PoolClips,
    Request,
    held_out_batches,
    missing,
    pool_batches,
    simulate,
)
from hybrid.profiling.timing import time_training_step
from hybrid.training.build import build_model, check_models, fetch_weights, input_normalisation
from hybrid.training.callbacks import History
from hybrid.training.checkpoint import FRESH, TrainedOn, save_tensors
from hybrid.training.fit import Outcome, begin, fit, once
from hybrid.training.lightning import pl
from hybrid.training.seen import behind
from hybrid.training.tracking import check_logger

GRADES = 5
"""of the classifier that a model is built with and that has no part in this"""
IDLE = ("epochs", "num_folds", "repeats")
"""keys of the protocol that pretraining has no use for"""
FORMAT = "sperm-video-hybrid pretraining 2"
"""of pretrained.ckpt"""
TRIED = 2
"""clips that are simulated to see how long that takes"""


@dataclass(frozen=True)
class PretrainFolder(RunFolder):
    """runs/<experiment>/<arm>/: config.yaml metrics.csv last.ckpt pretrained.ckpt result.json (written last)"""

    @property
    def model(self) -> Path:
        """what `pretrained=` of a training takes"""
        return self.path / "pretrained.ckpt"

    @property
    def label(self) -> str:
        return f"{self.path.name}/pretraining"


def pretraining_folder(config: PretrainConfig) -> PretrainFolder:
    return PretrainFolder(arm_folder(config))


def request_of(config: PretrainConfig) -> Request:
    model, data = config.model, config.data
    spec = ClipSpec(model.num_frames, model.frame_rate, config.protocol.crop_size, data.channels)
    return Request(data.seed, data.preset, spec)


def check_pretraining(config: PretrainConfig) -> None:
    """Refuse, before anything is simulated, what cannot be; and settings other than those the folder was begun with."""
    if get_entry(config.model.name).family == "frozen":
        raise UserError(f"model={config.model.name}: is used as it is published, and nothing of it learns")
    data, clips, epoch, batch = config.data, config.clips, config.clips_an_epoch, config.protocol.batch_size
    check_values(
        [
            *training_rules(config),
            ("targets", config.targets, " or ".join(TARGETS), config.targets in TARGETS),
            ("clips_an_epoch", epoch, f"a multiple of protocol.batch_size ({batch})", _multiple(epoch, batch)),
            ("clips", clips, "a multiple of clips_an_epoch", _multiple(clips, epoch)),
            ("data.pool", data.pool, "1 or more", data.pool >= 1),
            ("data.grows", data.grows, f"from 0 to clips_an_epoch ({epoch})", 0 <= data.grows <= epoch),
            ("data.held_out", data.held_out, "1 or more", data.held_out >= 1),
            ("data.channels", data.channels, "1 (grey) or 3 (colour)", data.channels in (1, 3)),
            ("data.workers", data.workers, "1 or more, or null", data.workers is None or data.workers >= 1),
        ]
    )
    request_of(config)
    for key, path in (("data.root", Path(data.root).resolve()), ("runs_dir", arm_folder(config).resolve())):
        if inside := [parent for parent in (path, *path.parents) if is_dataset(parent)]:
            raise UserError(f"{key}: {path} lies in the data set {inside[0]}; choose a folder outside of it")
    check_logger(config)
    fetch_weights(check_models([config]))
    folder = pretraining_folder(config)
    record_settings(folder.config, _settings(config), f"pretraining {folder.path}")


def _multiple(number: int, of: int) -> bool:
    return number > 0 and of > 0 and number % of == 0


def _settings(config: PretrainConfig) -> dict[str, Any]:
    """What the weights depend on."""
    settings = run_settings(config)
    settings["protocol"] = {key: value for key, value in settings["protocol"].items() if key not in IDLE}
    settings["protocol"]["precision"] = choose_machine(config.accelerator, config.protocol.precision).precision
    settings["data"] = {key: value for key, value in settings["data"].items() if key not in ("root", "workers")}
    return settings


def pretrain(config: PretrainConfig, callbacks: Sequence[pl.Callback] = ()) -> dict[str, Any]:
    """Do the checked pretraining that `config` names, or continue it, unless it is done; return its result."""
    folder = pretraining_folder(config)
    return once(folder, lambda: _pretrain(config, folder, callbacks))


def _pretrain(config: PretrainConfig, folder: PretrainFolder, callbacks: Sequence[pl.Callback]) -> dict[str, Any]:
    protocol, data, request, begun = config.protocol, config.data, request_of(config), begin(config)
    machine, _ = begun
    attributes = Attributes(config.targets, request.spec.num_frames, request.spec.frame_rate)

    # Clips of the next seed: of other donors, under other microscopes.
    watched = replace(request, seed=request.seed + 1)
    held_out = PoolClips(Path(data.root), watched, data.held_out, attributes, data.workers)
    part = protocol.batch_size // parts_of_a_batch(config)
    clips = PoolClips(Path(data.root), request, data.pool, attributes, data.workers)
    epochs = config.clips // config.clips_an_epoch
    order = GrowingEpochs(clips, data.pool, data.grows, config.clips_an_epoch, config.seed, epochs)

    pl.seed_everything(config.seed, verbose=False)
    model = machine.to_channels_last(build_model(config, GRADES))
    objective = Objective(attributes, Scale.of(attributes, clips.values_NV))
    normalisation = input_normalisation(config)
    module = PretrainModule(model, objective, normalisation, config)

    numbers = np.resize(np.arange(len(held_out)), part)
    frames_BTHWC = torch.from_numpy(held_out.frames_NTHWC[numbers]).to(machine.device)
    shown = as_input(frames_BTHWC, normalisation, used=model.used_frames(request.spec.num_frames))

    def outcome(history: History) -> Outcome:
        errors = {stage: _of_stage(history.rows[-1], stage) for stage in ("train", "test")}
        start = behind(config.model.pretrained) or TrainedOn((), complete=False)
        save_pretrained(folder.model, module, {"settings": _settings(config), "errors": errors}, start)
        result = {
            "arm": config.arm,
            "model": config.model.name,
            "targets": config.targets,
            "clips": config.clips,
            "start": _shipped_start(config, model),
            "pool": data.pool,
            "grows": data.grows,
            "held_out": data.held_out,
            "simulated": request.record(),
            "errors": errors,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "train_seconds_per_clip": history.training_seconds / config.clips,
        }
        figures = {f"outcome/{stage}/{group}": error for stage in errors for group, error in errors[stage].items()}
        return Outcome(result, figures)

    return fit(
        folder,
        module,
        (pool_batches(order, part), held_out_batches(held_out, protocol.batch_size)),
        outcome,
        settings=_settings(config),
        begun=begun,
        epochs=epochs,
        checked=(module, shown),
        name_of=lambda clip: f"simulated clip {clip} of seed {request.seed}",
        callbacks=callbacks,
    )


def _shipped_start(config: PretrainConfig, model: ClipModel) -> dict[str, Any] | None:
    """How the shipped weights that it goes on from were made; None where it starts from others."""
    files = shipped_files(model, get_entry(config.model.name), config.model.pretrained, config.model.size)
    made = [shipped_index()[file.stem] for file in files.values()]
    if not made:
        return None
    commands = [command for each in made for command in each["commands"]]
    return {"commands": commands, "clips_seen": max(each["clips_seen"] for each in made)}


def _of_stage(row: dict[str, float], stage: str) -> dict[str, float]:
    return {name.partition("/")[2]: value for name, value in row.items() if name.startswith(f"{stage}/")}


def save_pretrained(path: Path, module: PretrainModule, about: dict[str, Any], start: TrainedOn = FRESH) -> None:
    """Write the file that `create_model(..., pretrained=<path>)` of the same model loads, of tensors and plain values
    alone: the model without its classifier, and what read its answers off it.

    The classifier has learned nothing; left out, it starts anew wherever the file is loaded. about: plain values.
    start: what the weights that the pretraining began with had learned from; it adds no clips that a data set has.
    """
    model, objective = module.model, module.objective
    weights = {key: value for key, value in model.state_dict().items() if not key.startswith(f"{model.classifier}.")}
    save_tensors(
        path,
        {
            "format": FORMAT,
            "model": weights,
            "reader": module.reader.state_dict(),
            "attributes": asdict(objective.attributes),
            "scale": objective.scale.plain(),
            "about": about,
            "trained_on": asdict(start),
        },
    )


def estimate(config: PretrainConfig) -> str:
    """A line: how many clips are to be simulated and to be learned from, and how long each will take, as a try of a few
    seconds says."""
    folder, workers = pretraining_folder(config), config.data.workers or processors()
    to_simulate = _to_simulate(config)
    simulating = to_simulate * _seconds_to_simulate(config) / workers if to_simulate else 0.0
    training = config.clips * _seconds_to_train(config)
    lines = [
        f"{folder.label}: simulates {to_simulate} clips into {config.data.root}, about {clock(simulating)} in "
        f"{workers} processes",
        f"learns from {config.clips}, about {clock(training)} from the beginning",
    ]
    return "; ".join(lines)


def _to_simulate(config: PretrainConfig) -> int:
    data, epochs = config.data, config.clips // config.clips_an_epoch
    return missing(Path(data.root), request_of(config), data.pool + data.grows * (epochs - 1))


def _seconds_to_simulate(config: PretrainConfig) -> float:
    simulate(request_of(config), 0, 1)  # the first brings the libraries
    start = time.perf_counter()
    simulate(request_of(config), 1, TRIED)
    return (time.perf_counter() - start) / TRIED


def _seconds_to_train(config: PretrainConfig) -> float:
    """A clip, in batches as they will be. Reading the clips and watching held-out ones comes on top."""
    spec, precision = request_of(config).spec, config.protocol.precision
    machine = choose_machine(config.accelerator, precision)
    model = machine.to_channels_last(build_model(config, GRADES)).to(machine.device)
    shape = (config.protocol.batch_size, spec.channels, spec.num_frames, spec.side, spec.side)
    with machine.autocast():
        return time_training_step(model, torch.zeros(shape, device=machine.device), repetitions=2, warm_up=1)
