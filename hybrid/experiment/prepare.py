"""Everything that must be right before anything trains: the data set, its folds, and that old runs belong here."""

import hashlib
import sys
from functools import lru_cache
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from hybrid.config import (
    NO_FOLD,
    PRETRAINING_SEEDS,
    UNGROUPED,
    ModelConfig,
    ProtocolConfig,
    TrainConfig,
    check_values,
    training_rules,
)
from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import ClipDataset, load_dataset
from hybrid.data.folds import check_number, fold_digests, folds_table, planned_folds
from hybrid.data.labels import scan_labels
from hybrid.data.problems import Problems
from hybrid.data.simulated import is_simulated
from hybrid.errors import UserError
from hybrid.files import check_record, read_yaml, write_text
from hybrid.folders import ExperimentFolder, RunFolder, has_begun, run_folder
from hybrid.kept_settings import (
    FOLDS,
    FOLDS_MADE,
    RATERS,
    arm_settings,
    check_settings,
    record_settings,
    shared_settings,
)
from hybrid.training.tracking import check_logger


def prepare(config: TrainConfig) -> tuple[ClipDataset, np.ndarray]:
    """The checked, decoded data set and the fold of each clip in each repeat, (repeats, N); all of it is written down.

    Simulates the data set where the configuration says so and its folder does not exist. The frames are those of the
    configured model, the experiment's fingerprint that of the protocol's frames.
    """
    run = run_folder(config)
    shared = _check_settings(config, run)
    dataset = _dataset(config, config.model)
    folds_RN, there = _planned_folds(config, dataset)
    kept = {FOLDS: _known_folds(run.experiment) | fold_digests(dataset.clips, folds_RN)}
    table, file = folds_table(dataset.clips, dataset.groups, folds_RN), run.experiment.folds
    here, made = file.read_bytes() if file.exists() else None, _made_folds(run.experiment)
    anew, to_write = here is not None and _digest(here) in made, not there and here != table.encode()
    if to_write and (here is None or anew):
        made = [*made, _digest(table.encode())]
    if made:
        kept[FOLDS_MADE] = sorted(set(made))
    for (path, settings, what), more in zip(shared, (kept, {}), strict=True):
        record_settings(path, settings | more, what)
    if to_write:  # after its digest: an interrupted start then leaves no folds that seem to be the user's own
        if anew and not has_begun(run.experiment.path):
            print(f"note: {file}: nothing was trained with these folds, so they are made anew", file=sys.stderr)
        write_text(file, table)
    return dataset, folds_RN


def check(config: TrainConfig) -> ClipDataset:
    """The same without a trace: the data set of a run that may be part of its experiment."""
    _check_settings(config, run_folder(config))
    return _dataset(config, config.model)


def check_folds(config: TrainConfig, dataset: ClipDataset) -> np.ndarray:
    """The folds that `prepare` would return, without a trace."""
    return _planned_folds(config, dataset)[0]


def check_groups(config: TrainConfig) -> None:
    """Refuse more folds than the tables have clips or groups, before a clip is decoded. Other faults `check` tells."""
    problems = Problems("")
    labels = scan_labels(Path(config.data.root), problems)
    if labels is not None and not problems.problems:
        groups = None if config.protocol.folds == UNGROUPED else labels.groups
        check_number(config.protocol.num_folds, len(labels.clips), groups)


def _planned_folds(config: TrainConfig, dataset: ClipDataset) -> tuple[np.ndarray, bool]:
    experiment = run_folder(config).experiment
    unused = not has_begun(experiment.path)
    made = unused and experiment.folds.is_file() and _digest(experiment.folds.read_bytes()) in _made_folds(experiment)
    try:
        return planned_folds(
            experiment.folds,
            dataset.clips,
            targets_NK=dataset.targets_NK,
            groups=dataset.groups,
            num_folds=config.protocol.num_folds,
            repeats=config.protocol.repeats,
            seed=config.seed,
            ungrouped=config.protocol.folds == UNGROUPED,
            ignored=made,
        )
    except UserError as error:
        if made or not experiment.folds.exists():
            raise
        way_out = "no run was trained with these folds: mend the file, or remove it to have them made"
        if not unused:
            way_out = "runs were made with this file: put it back as it was, or choose another name with experiment=..."
        raise UserError(f"{error}\n{way_out}") from error


def _made_folds(experiment: ExperimentFolder) -> list[str]:
    """Digests of what was ever written into folds.csv here; of another file its user is the author."""
    if not experiment.settings.exists():
        return []
    recorded = read_yaml(experiment.settings)
    check_record(experiment.settings, recorded, {FOLDS_MADE: list}, needed=())
    return recorded.get(FOLDS_MADE, [])


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _check_settings(config: TrainConfig, run: RunFolder) -> list[tuple[Path, dict[str, Any], str]]:
    """What the run shares with the others of its experiment and of its arm, once it is known not to differ from them.

    Each with the file where it is written, and what that is called.
    """
    check_numbers(config)
    check_logger(config)
    _simulate(config)
    dataset = _dataset(config, config.protocol)
    experiment, arm = f"experiment {config.experiment!r}", f"arm {run.arm!r} of experiment {config.experiment!r}"
    shared = [
        (run.experiment.settings, shared_settings(config, dataset.fingerprint) | {RATERS: dataset.raters}, experiment),
        (run.experiment.model(run.arm), arm_settings(config), arm),
    ]
    for path, settings, what in shared:
        check_settings(path, settings, what)
    _check_kept_folds(config, run.experiment)
    return shared


def _check_kept_folds(config: TrainConfig, experiment: ExperimentFolder) -> None:
    """Refuse folds that are others than runs began with: they would be trained on each other's test clips."""
    if known := _known_folds(experiment):
        dataset = _dataset(config, config.protocol)
        now = fold_digests(dataset.clips, check_folds(config, dataset))
        if changed := [repeat for repeat in now if known.get(repeat, now[repeat]) != now[repeat]]:
            raise UserError(
                f"{experiment.folds}: was changed; runs of experiment {experiment.path.name!r} were made with other "
                f"folds in {changed[0]}: put it back as it was, or choose another name with experiment=..."
            )


def _known_folds(experiment: ExperimentFolder) -> dict[str, str]:
    """The digests of those that runs began with, by repeat; none where none has begun, or long ago."""
    if not has_begun(experiment.path):
        return {}
    recorded = read_yaml(experiment.settings)
    check_record(experiment.settings, recorded, {FOLDS: dict}, needed=())
    return recorded.get(FOLDS, {})


def check_numbers(config: TrainConfig) -> None:
    """Refuse values that are out of their range."""
    protocol, simulate = config.protocol, config.data.simulate
    last = protocol.num_folds - 1
    simulated = [
        ("data.simulate.seed", simulate.seed, f"from 0 to {PRETRAINING_SEEDS - 1} (more are pretraining's)",
         0 <= simulate.seed < PRETRAINING_SEEDS),
        ("data.simulate.num_clips", simulate.num_clips, "1 or more", simulate.num_clips >= 1),
    ] if simulate else []  # fmt: skip
    a_fold = isinstance(config.fold, int) and 0 <= config.fold <= last
    check_values(
        [
            *training_rules(config),
            *simulated,
            ("data.channels", config.data.channels, "1 (grey) or 3 (colour)", config.data.channels in (1, 3)),
            ("fold", config.fold, f"0 to {last}, or {NO_FOLD}", a_fold or config.fold == NO_FOLD),
            ("repeat", config.repeat, f"0 to {protocol.repeats - 1}", 0 <= config.repeat < protocol.repeats),
        ]
    )


def _simulate(config: TrainConfig) -> None:
    """Into the folder that the data set has by default. One that was named is not made, as the name may be mistyped."""
    simulate = config.data.simulate
    if simulate is None:
        return
    from hybrid.simulator.request import Request, is_made

    root = Path(config.data.root)
    if not OmegaConf.is_interpolation(config.data, "root"):
        if not root.exists():
            raise UserError(
                f"data.root={root}: there is no such folder; clips of your own need data=folder as well, simulated "
                f"ones are made by python tools/simulate.py {quote(f'root={root}')}"
            )
        if not is_simulated(root):
            own = f"data=folder {quote(f'data.root={root}')}"
            raise UserError(f"data.root={root} holds no simulated clips: for your own, give {own}")
    if not is_made(root, Request(simulate.preset, simulate.num_clips, simulate.seed)):
        from hybrid.simulator.dataset import simulate_dataset  # here, for all that makes clips comes with it

        simulate_dataset(root, preset=simulate.preset, num_clips=simulate.num_clips, seed=simulate.seed)


def _dataset(config: TrainConfig, frames: ProtocolConfig | ModelConfig) -> ClipDataset:
    spec = ClipSpec(frames.num_frames, frames.frame_rate, config.protocol.crop_size, config.data.channels)
    return _loaded(Path(config.data.root), spec)


@lru_cache(maxsize=4)
def _loaded(root: Path, spec: ClipSpec) -> ClipDataset:
    # The runs of an experiment share one process, one data set and one check of it.
    return load_dataset(root, spec)
