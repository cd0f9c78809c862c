"""The configuration of every entry point: unknown keys and wrong types are refused when it is read.

The YAML files under configs/ fill these in; see there for the values and why they are what they are.
"""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from hybrid.errors import UserError

NO_FOLD = "none"
"""as `fold`: none is held out, the model is trained on all clips"""
PRETRAINING_SEEDS = 10**6
"""the simulator's seeds from here on are for pretraining, those below for data sets to compare models on"""

ACCELERATORS = ("auto", "cpu", "gpu", "mps")
"""where to compute; `cuda` is `gpu` (hybrid/device.py)"""

GROUPED, UNGROUPED = "grouped", "ungrouped"
"""of `protocol.folds`: a group is kept whole, or clips are split whatever their groups (hybrid/data/folds.py)"""


@dataclass
class RecipeConfig:
    """How a family of models is trained: what differs between models under one protocol."""

    optimiser: str = "adamw"
    """adamw | sgd (hybrid/training/optimiser.py)"""
    schedule: str = "cosine"
    """of the rate after the warm-up: cosine (to zero) | constant"""
    learning_rate: float = MISSING
    """at its highest, from fresh weights"""
    fine_tuning_factor: float = 0.1
    """on the rate, where a model starts from published weights"""
    weight_decay: float = MISSING
    warmup_share: float = 0.1
    """of all steps, with the rate rising linearly"""
    layer_decay: float = 1.0
    """factor on the rate a layer down from the head, where a model starts from published weights (transformers)"""
    new_module_factor: float = 1.0
    """factor on the rate of modules that published weights, where a model starts from them, do not hold"""
    classifier: str = "fresh"
    """how it starts, on pretrained weights: fresh | fitted (to their features of the training clips, where it is one
    linear layer, as in all models but RoSTFine and the ensemble)"""
    frozen: str = "none"
    """what of pretrained weights stays as it is: none | batch_norm (its statistics) | backbone (all but what is new)"""
    loss: str = "mse"
    """what is minimised: mse (the paper's) | kl | emd | emd2 | rps; all measures are reported, whichever it is"""
    train_share: float = 1.0
    """of the training folds' clips that is trained on, in as many steps; smaller shares lie inside larger ones"""
    clip_gradient: float = 1.0
    """largest norm of the gradient"""


@dataclass
class ModelConfig:
    """One model, as `hybrid.create_model` takes it, and its recipe."""

    name: str = MISSING
    size: str = "${protocol.size}"
    pretrained: str = "${protocol.pretrained}"
    num_frames: int = "${protocol.num_frames}"
    frame_rate: float = "${protocol.frame_rate}"
    """of the clips it is given; another one than the protocol's is for arms that see more or fewer frames"""
    options: dict[str, Any] = field(default_factory=dict)
    recipe: RecipeConfig = field(default_factory=RecipeConfig)


@dataclass
class AugmentConfig:
    """Symmetries of the task; see hybrid/data/transforms.py."""

    flips_and_turns: bool = True
    shift: float = 0.06
    """largest shift, as a share of the side"""
    gain: float = 0.15
    """brightness is multiplied by 1 +- this ..."""
    offset: float = 0.08
    """... and this share of full scale is added or taken away"""


@dataclass
class ProtocolConfig:
    """What every model of an experiment shares, so that they are comparable."""

    name: str = MISSING
    size: str = MISSING
    pretrained: str = "none"
    num_frames: int = 16
    frame_rate: float = 16.0
    crop_size: int = MISSING
    epochs: int = MISSING
    batch_size: int = 32
    """clips a step of the optimiser, of all processes together"""
    accumulate: int = 1
    """parts that a step's clips come in, one after the other, where memory does not hold them all; batch normalisation
    then sees a part at a time"""
    num_folds: int = 5
    repeats: int = 1
    folds: str = GROUPED
    """grouped | ungrouped"""
    best_epoch: bool = False
    """tell the error of the epoch that is best on the held-out fold, too; it is optimistic, and chooses nothing"""
    normalise: str = MISSING
    """'published': by the mean and std that the weights were trained with; 'clip': each clip by its own"""
    precision: str = "auto"
    """'auto': float32 on a CPU, half precision on a GPU; or 32-true, bf16-mixed, 16-mixed. One an experiment."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)


@dataclass
class SimulatedClips:
    """The clips to simulate where the data set's folder does not exist yet."""

    preset: str = "clinic"
    num_clips: int = MISSING
    seed: int = 0


@dataclass
class DataConfig:
    """A data set folder: clips/, and labels.csv or ratings.csv or both."""

    name: str = MISSING
    root: str = MISSING
    channels: int = 3
    simulate: SimulatedClips | None = None


@dataclass
class LoggerConfig:
    """Weights & Biases: 'offline' writes files and sends nothing, 'online' sends, 'disabled' writes nothing."""

    mode: str = "offline"
    project: str = "sperm-video-hybrid"
    entity: str | None = None


@dataclass
class TrainingConfig:
    """One training of one model, whatever it learns."""

    experiment: str = MISSING
    arm: str = "${model.name}"
    """label of a model with its settings, one of those that an experiment compares; its runs' folder bears it"""
    runs_dir: str = "runs"
    model: ModelConfig = field(default_factory=ModelConfig)
    protocol: ProtocolConfig = field(default_factory=ProtocolConfig)
    logger: LoggerConfig = field(default_factory=LoggerConfig)
    seed: int = 0
    accelerator: str = "auto"
    devices: int = 1
    """GPUs that do one run together, a process each; on a CPU the number of processes"""
    num_nodes: int = 1
    threads: int | None = None
    """of the processor that a run computes with; None: as many as there are. Another number rounds differently."""


@dataclass
class TrainConfig(TrainingConfig):
    """One run: one arm, one fold, one repeat."""

    data: DataConfig = field(default_factory=DataConfig)
    repeat: int = 0
    fold: int | str = 0
    """that is held out and tested on; 'none': a model to use, trained on all clips and tested on none"""
    allow_leak: bool = False
    """start from weights even if they have learned from clips that are tested on; results and report then say so"""


@dataclass
class StreamConfig:
    """The clips that are learned from, of a simulator's seed that no data set has."""

    pool: int = MISSING
    """clips that the first epoch has, simulated once, kept on disk and shown again and again"""
    grows: int = MISSING
    """clips that each further epoch has beside those before it, simulated while a model learns; as many as an epoch's:
    every clip is a new one"""
    held_out: int = MISSING
    """clips of the next seed, of other donors and microscopes, to watch the error on"""
    root: str = MISSING
    """where pools are kept, shared by all models"""
    preset: str = "clinic"
    seed: int = MISSING
    channels: int = 3
    """1 (grey) or 3 (colour)"""
    workers: int | None = None
    """processes that simulate; None: one a processor"""


@dataclass
class PretrainConfig(TrainingConfig):
    """One pretraining of one model."""

    targets: str = MISSING
    """what is learned: dense | dense_no_bends | dense_no_events (hybrid/pretraining/attributes.py)"""
    clips: int = MISSING
    """that the model sees, new ones or the same again: the budget, equal for every model"""
    clips_an_epoch: int = MISSING
    """after so many a row of metrics.csv is written, and a checkpoint to continue from"""
    data: StreamConfig = field(default_factory=StreamConfig)


Rule = tuple[str, Any, str, bool]
"""the key, its value, what it must be in words, and whether it is"""


def check_values(rules: Iterable[Rule]) -> None:
    """A UserError with a line for every value that is not what it must be."""
    if wrong := [f"{key} must be {rule}, not {value}" for key, value, rule, right in rules if not right]:
        raise UserError("\n".join(wrong))


SEEDS = 2**32
"""that random number generators here take: 0 to one less"""


def training_rules(config: TrainingConfig) -> list[Rule]:
    """What every training's numbers and words must be."""
    threads, seed, nodes, devices = config.threads, config.seed, config.num_nodes, config.devices
    known = config.accelerator in (*ACCELERATORS, "cuda")
    of_protocol = protocol_rules(config.protocol)
    told = {(key.replace("protocol.", "model."), value) for key, value, *_ in of_protocol}  # a model's by default
    started = "1, or the same command must be started on each machine by torchrun or srun, or with MASTER_ADDR, "
    met = not os.environ.keys().isdisjoint(("MASTER_ADDR", "SLURM_NTASKS"))  # else the first would wait for the others
    return [
        ("num_nodes", nodes, f"{started}MASTER_PORT and NODE_RANK set", nodes == 1 or (nodes > 1 and met)),
        ("seed", seed, f"from 0 to {SEEDS - 1}", 0 <= seed < SEEDS),
        ("threads", threads, "1 or more, or null", threads is None or threads >= 1),
        ("accelerator", config.accelerator, f"one of {', '.join(ACCELERATORS)}", known),
        ("devices", devices, "1 or more", devices >= 1),
        *of_protocol,
        *(rule for rule in model_rules(config.model) if rule[:2] not in told),
    ]


def protocol_rules(protocol: ProtocolConfig) -> list[Rule]:
    crop_size, augment = protocol.crop_size, protocol.augment
    return [
        ("protocol.epochs", protocol.epochs, "1 or more", protocol.epochs >= 1),
        ("protocol.batch_size", protocol.batch_size, "2 or more", protocol.batch_size >= 2),
        ("protocol.accumulate", protocol.accumulate, "1 or more", protocol.accumulate >= 1),
        ("protocol.num_frames", protocol.num_frames, "8, 16 or 32", protocol.num_frames in (8, 16, 32)),
        ("protocol.frame_rate", protocol.frame_rate, "positive", 0 < protocol.frame_rate < math.inf),
        ("protocol.crop_size", crop_size, "a multiple of 16 from 64 to 1024", crop_size in range(64, 1025, 16)),
        ("protocol.num_folds", protocol.num_folds, "2 or more", protocol.num_folds >= 2),
        ("protocol.repeats", protocol.repeats, "from 1 to 100", 1 <= protocol.repeats <= 100),
        ("protocol.folds", protocol.folds, "grouped or ungrouped", protocol.folds in (GROUPED, UNGROUPED)),
        ("protocol.augment.shift", augment.shift, "from 0 to 0.5", 0 <= augment.shift <= 0.5),
        ("protocol.augment.gain", augment.gain, "from 0 to below 1", 0 <= augment.gain < 1),
        ("protocol.augment.offset", augment.offset, "from 0 to below 1", 0 <= augment.offset < 1),
    ]


def parts_of_a_batch(config: TrainingConfig) -> int:
    """How many parts a step's clips are split into, over processes and time; a UserError where they do not divide."""
    parts, batch_size = config.devices * config.num_nodes * config.protocol.accumulate, config.protocol.batch_size
    if parts < 1 or batch_size % parts:
        raise UserError(
            f"devices x num_nodes x protocol.accumulate is {config.devices} x {config.num_nodes} x "
            f"{config.protocol.accumulate}: it must divide protocol.batch_size={batch_size}"
        )
    return parts


def model_rules(model: ModelConfig) -> list[Rule]:
    recipe = model.recipe
    optimiser, schedule = recipe.optimiser, recipe.schedule
    positive = ("learning_rate", "fine_tuning_factor", "new_module_factor")
    return [
        *((f"model.recipe.{key}", recipe[key], "positive", 0 < recipe[key] < math.inf) for key in positive),
        ("model.recipe.clip_gradient", recipe.clip_gradient, "positive, or inf", recipe.clip_gradient > 0),
        ("model.recipe.weight_decay", recipe.weight_decay, "0 or more", 0 <= recipe.weight_decay < math.inf),
        ("model.recipe.warmup_share", recipe.warmup_share, "from 0 to below 1", 0 <= recipe.warmup_share < 1),
        ("model.recipe.layer_decay", recipe.layer_decay, "above 0 and at most 1", 0 < recipe.layer_decay <= 1),
        ("model.recipe.train_share", recipe.train_share, "above 0 and at most 1", 0 < recipe.train_share <= 1),
        ("model.num_frames", model.num_frames, "8, 16 or 32", model.num_frames in (8, 16, 32)),
        ("model.frame_rate", model.frame_rate, "positive", 0 < model.frame_rate < math.inf),
        ("model.pretrained", model.pretrained, "none, official, simulated or a path", bool(model.pretrained)),
        ("model.recipe.optimiser", optimiser, "adamw or sgd", optimiser in ("adamw", "sgd")),
        ("model.recipe.schedule", schedule, "cosine or constant", schedule in ("cosine", "constant")),
    ]


def processors() -> int:
    """Processors this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _runs_at_a_time() -> int:
    """One where there is a GPU to share, else one a processor."""
    import torch

    return 1 if torch.cuda.is_available() or torch.backends.mps.is_available() else processors()


def _by_size(tiny: Any, paper: Any, *, _root_: DictConfig) -> Any:
    """What an option is at the size of the configured model: `${by_size:24,128}`."""
    return {"tiny": tiny, "paper": paper}[_root_.model.size]


def register_schemas() -> None:
    """Make the schemas known to Hydra, under the names the YAML files extend.

    Those of the groups (model, protocol, ...) are inside of them: a file of a group is held to its part of them.
    """
    OmegaConf.register_new_resolver("basename", lambda path: Path(path).resolve().name, replace=True)
    OmegaConf.register_new_resolver("by_size", _by_size, replace=True)
    OmegaConf.register_new_resolver("runs_at_a_time", _runs_at_a_time, replace=True)
    store = ConfigStore.instance()
    store.store(name="train_schema", node=TrainConfig)
    store.store(name="pretrain_schema", node=PretrainConfig)
