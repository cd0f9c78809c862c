"""What tools/pretrain.py can be told; see configs/pretrain.yaml for the values."""

from __future__ import annotations

from dataclasses import dataclass, field

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from hybrid.config import LoggerConfig, ModelConfig, ProtocolConfig


@dataclass
class StreamConfig:
    """The clips that are learned from, of a simulator's seed that no data set has."""

    pool: int | None = MISSING
    """clips that are simulated once, kept on disk and gone through again and again; None: every clip is a new one"""
    held_out: int = MISSING
    """clips of the next seed, of other donors and microscopes, to watch the error on"""
    root: str = MISSING
    """where pools are kept, shared by all models"""
    preset: str = "standard"
    seed: int = MISSING
    channels: int = 3
    """1 (grey) or 3 (colour)"""
    workers: int | None = None
    """processes that simulate; None: one a processor"""


@dataclass
class PretrainConfig:
    """One pretraining of one model."""

    experiment: str = MISSING
    arm: str = "${model.name}"
    """label of a model with its settings; its folder bears it"""
    runs_dir: str = "runs"
    targets: str = MISSING
    """what is learned: physics | physics+events (hybrid/pretraining/attributes.py)"""
    clips: int = MISSING
    """that the model sees, new ones or again: the budget, the same for every model"""
    clips_an_epoch: int = MISSING
    """after as many there is a row of metrics.csv and a checkpoint to continue from"""
    model: ModelConfig = field(default_factory=ModelConfig)
    protocol: ProtocolConfig = field(default_factory=ProtocolConfig)
    data: StreamConfig = field(default_factory=StreamConfig)
    logger: LoggerConfig = field(default_factory=LoggerConfig)
    seed: int = 0
    accelerator: str = "auto"
    devices: str = "1"
    num_nodes: int = 1
    threads: int | None = None
    """of the processor that training computes with; None: as many as there are"""


def register_pretraining() -> None:
    """Make the schema known to Hydra; `hybrid.config.register_schemas` does so for the groups."""
    ConfigStore.instance().store(name="pretrain_schema", node=PretrainConfig)
