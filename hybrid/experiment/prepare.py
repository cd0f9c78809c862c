"""Everything that must be right before anything trains: the data set, its folds, and that old runs belong here."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from hybrid.config import TrainConfig
from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import ClipDataset, load_dataset
from hybrid.data.folds import frozen_folds
from hybrid.errors import UserError
from hybrid.experiment.folder import claim, experiment_folder, run_folder, run_settings, shared_settings
from hybrid.training.tracking import check_logger


def prepare(config: TrainConfig) -> tuple[ClipDataset, np.ndarray]:
    """The checked, decoded data set and the fold of each clip in each repeat, (repeats, N).

    Simulates the data set where the configuration says so and its folder does not exist.
    """
    _check_numbers(config)
    check_logger(config)
    folder, arm = experiment_folder(config), run_folder(config).arm
    dataset = _dataset(config)
    claim(folder.settings, shared_settings(config, dataset.fingerprint), f"experiment {config.experiment!r}")
    claim(folder.model(arm), run_settings(config)["model"], f"arm {arm!r} of experiment {config.experiment!r}")
    folds_RN = frozen_folds(
        folder.folds,
        dataset.clips,
        dataset.targets_NK,
        dataset.groups,
        num_folds=config.protocol.num_folds,
        repeats=config.protocol.repeats,
        seed=config.seed,
    )
    return dataset, folds_RN


def _check_numbers(config: TrainConfig) -> None:
    protocol, recipe = config.protocol, config.model.recipe
    wrong = [
        f"{name} must be {rule}, not {value}"
        for name, value, rule, right in (
            ("protocol.epochs", protocol.epochs, "1 or more", protocol.epochs >= 1),
            ("protocol.batch_size", protocol.batch_size, "2 or more", protocol.batch_size >= 2),
            ("protocol.num_frames", protocol.num_frames, "8, 16 or 32", protocol.num_frames in (8, 16, 32)),
            ("protocol.frame_rate", protocol.frame_rate, "positive", protocol.frame_rate > 0),
            (
                "protocol.crop_size",
                protocol.crop_size,
                "a multiple of 32 from 64 up",
                protocol.crop_size >= 64 and protocol.crop_size % 32 == 0,
            ),
            ("protocol.num_folds", protocol.num_folds, "2 or more", protocol.num_folds >= 2),
            ("protocol.repeats", protocol.repeats, "1 or more", protocol.repeats >= 1),
            ("threads", config.threads, "1 or more", config.threads is None or config.threads >= 1),
            ("data.channels", config.data.channels, "1 (grey) or 3 (colour)", config.data.channels in (1, 3)),
            ("fold", config.fold, f"0 to {protocol.num_folds - 1}", 0 <= config.fold < protocol.num_folds),
            ("repeat", config.repeat, f"0 to {protocol.repeats - 1}", 0 <= config.repeat < protocol.repeats),
            ("model.recipe.learning_rate", recipe.learning_rate, "positive", recipe.learning_rate > 0),
            (
                "model.recipe.train_share",
                recipe.train_share,
                "above 0 and at most 1",
                0 < recipe.train_share <= 1,
            ),
        )
        if not right
    ]
    if wrong:
        raise UserError("\n".join(wrong))


def _dataset(config: TrainConfig) -> ClipDataset:
    root, simulate = Path(config.data.root), config.data.simulate
    if simulate is not None:
        from hybrid.simulator.dataset import simulate_dataset

        simulate_dataset(root, preset=simulate.preset, num_clips=simulate.num_clips, seed=simulate.seed)
    protocol = config.protocol
    spec = ClipSpec(protocol.num_frames, protocol.frame_rate, protocol.crop_size, config.data.channels)
    return _loaded(root, spec)


@lru_cache(maxsize=1)
def _loaded(root: Path, spec: ClipSpec) -> ClipDataset:
    # The runs of a benchmark share one process, one data set and one check of it.
    return load_dataset(root, spec)
