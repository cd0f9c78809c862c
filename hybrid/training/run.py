"""One run: train one model on all folds but one, evaluate its last epoch on that one; or train it on all clips.

Where a protocol asks for `best_epoch`, the lowest error of any epoch there is told, too; no weights of it are kept.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from hybrid.config import NO_FOLD, TrainConfig, parts_of_a_batch
from hybrid.data.dataset import ClipDataset
from hybrid.data.folds import held_out_clips, subsample
from hybrid.data.graded_by_motion import is_graded_by_motion
from hybrid.data.loader import InMemoryClips, evaluation_batches, training_batches
from hybrid.data.transforms import Normalisation
from hybrid.evaluation.metrics import PANEL, evaluate, squared_error
from hybrid.files import read_json, software_commit, whole_file, write_json, write_yaml
from hybrid.folders import RunFolder, run_folder
from hybrid.kept_settings import run_settings
from hybrid.profiling import profile_model
from hybrid.training.all_clips import expected_error
from hybrid.training.build import build_model, input_normalisation, told_of_model
from hybrid.training.callbacks import History
from hybrid.training.checkpoint import TrainedModel, save_trained
from hybrid.training.ensemble import predict_distributions
from hybrid.training.features import what_learns
from hybrid.training.fit import Outcome, begin, fit, once
from hybrid.training.lightning import pl
from hybrid.training.module import GradeModule
from hybrid.training.optimiser import freeze_batchnorm
from hybrid.training.seen import check_start, trained_on

COSTS = ("parameters", "gmac", "train_seconds_per_clip", "inference_seconds_per_clip")
"""of a result, logged beside the fold's measures"""


def train_run(
    config: TrainConfig, dataset: ClipDataset, fold_of_N: np.ndarray, callbacks: Sequence[pl.Callback] = ()
) -> dict[str, Any]:
    """Do the run that `config` names, or continue it, unless it is done; return its result.

    fold_of_N: the fold of each clip in this repeat; the clips of `config.fold` are tested on. Where that is none, the
    result holds no measures but what to expect (`expected_error`).
    callbacks: of Lightning, to watch it with.
    """
    run = run_folder(config)
    return once(run, lambda: _train(config, dataset, fold_of_N, run, callbacks))


def run_seed(config: TrainConfig) -> int:
    """A seed of the run's own: other folds and repeats start from other weights."""
    return int(np.random.SeedSequence(_draw(config)).generate_state(1)[0])


def _draw(config: TrainConfig) -> tuple[int, int, int]:
    """What a run's random numbers follow from."""
    fold = config.protocol.num_folds if config.fold == NO_FOLD else config.fold
    return config.seed, config.repeat, fold


def _train(
    config: TrainConfig, dataset: ClipDataset, fold_of_N: np.ndarray, run: RunFolder, callbacks: Sequence[pl.Callback]
) -> dict[str, Any]:
    settings = run_settings(config)
    settings["data"]["root"] = os.path.abspath(settings["data"]["root"])  # for commands from another folder
    write_yaml(run.config, settings)
    seen = check_start(config, dataset, fold_of_N)
    protocol, recipe, seed, begun = config.protocol, config.model.recipe, run_seed(config), begin(config)
    machine, _ = begun
    pl.seed_everything(seed, verbose=False)
    model = build_model(config, len(dataset.grades))
    machine.to_channels_last(model)
    normalisation = input_normalisation(config)
    used = model.used_frames(config.model.num_frames)
    clips = InMemoryClips(dataset.frames_NTHWC, normalisation, used, dataset.moments)
    learner, clips = what_learns(config, model, dataset, clips, machine)
    profile = _profile(clips.profile or run.path.parent / "profile.json", config, model)
    test_clips = held_out_clips(config.fold, fold_of_N)
    training_folds = np.setdiff1d(np.arange(len(dataset)), test_clips)
    # Every fold draws its share anew, so that their mean does not hang on one draw; models draw the same.
    train_clips = subsample(training_folds, dataset.groups, recipe.train_share, _draw(config))
    module = GradeModule(learner, clips, torch.as_tensor(dataset.targets_NK), config, seed, train_clips)
    batches = training_batches(train_clips, protocol.batch_size, seed, len(training_folds), parts_of_a_batch(config))
    watched_at_a_time = protocol.batch_size * clips.watched
    freeze_batchnorm(learner, recipe.frozen)
    shown = clips.batch(torch.as_tensor(np.resize(train_clips, batches.batch_size)), machine.device)

    def outcome(history: History) -> Outcome:
        tested, tables = {"expected": expected_error(run)}, {}
        if len(test_clips):
            answers_NK, seconds = predict_distributions(learner, clips, test_clips, protocol.batch_size, machine)
            tested = _measures(dataset, train_clips, test_clips, answers_NK) | {"inference_seconds_per_clip": seconds}
            tables["predictions"] = _prediction_table(dataset, test_clips, answers_NK)
            with whole_file(run.predictions) as temporary:
                tables["predictions"].to_csv(temporary, index=False)
        save_trained(run.model, _trained(config, dataset, train_clips, model, normalisation))
        result = {
            "arm": config.arm,
            "model": config.model.name,
            "repeat": config.repeat,
            "fold": config.fold,
            **tested,
            "simulated": dataset.simulated,
            "graded_by_motion": is_graded_by_motion(dataset.root),
            **profile,
            "pretrained": config.model.pretrained,
            "test_clips_seen": seen,
            "loss": recipe.loss,
            "frozen": recipe.frozen,
            "train_share": recipe.train_share,
            "train_clips": len(train_clips),
            "test_clips": len(test_clips),
            "epochs": protocol.epochs,
            "train_seconds_per_clip": history.training_seconds / max(1, protocol.epochs * len(training_folds)),
        }
        if protocol.best_epoch and len(test_clips):
            result["best_epoch"] = history.best
        figures = {f"fold/{name}": value for name, value in result.get("metrics", {}).items()}
        return Outcome(result, figures | {name: result[name] for name in COSTS if name in result}, tables)

    return fit(
        run,
        module,
        (batches, evaluation_batches(test_clips, watched_at_a_time) if len(test_clips) else None),
        outcome,
        settings=run_settings(config),
        begun=begun,
        epochs=protocol.epochs,
        checked=(learner, shown),
        name_of=lambda clip: dataset.clips[clip],
        callbacks=callbacks,
    )


def _profile(path: Path, config: TrainConfig, model) -> dict[str, float]:
    """Parameters and GMAC of one clip, counted by the first run that finds no such file."""
    if not path.exists():
        side = config.protocol.crop_size
        shape = (config.data.channels, config.model.num_frames, side, side)
        with told_of_model(config.model.name):  # a frozen network reads its weights when it is first used
            profile = profile_model(model, shape)
        write_json(path, {"parameters": profile.parameters, "gmac": profile.gmac})
    return read_json(path)


def _measures(
    dataset: ClipDataset, train_clips: np.ndarray, test_clips: np.ndarray, answers_NK: np.ndarray
) -> dict[str, Any]:
    """Of the answers to the test clips, and what must be beaten: the error of the training clips' mean distribution."""
    train_NK, test_NK = dataset.targets_NK[train_clips], dataset.targets_NK[test_clips]
    return {
        "metrics": evaluate(answers_NK, test_NK, raters=np.nan_to_num(dataset.raters_N[test_clips], nan=PANEL)),
        "mean_predictor_mse": float(squared_error(np.broadcast_to(train_NK.mean(0), test_NK.shape), test_NK).mean()),
    }


def _prediction_table(dataset: ClipDataset, clips: np.ndarray, prediction_NK: np.ndarray) -> pd.DataFrame:
    columns = {"clip": [dataset.clips[clip] for clip in clips]}
    for kind, values_NK in (("target", dataset.targets_NK[clips]), ("predicted", prediction_NK)):
        columns |= {f"{kind}_{grade}": values_NK[:, k] for k, grade in enumerate(dataset.grades)}
    columns["raters"] = dataset.raters_N[clips]  # what the panel's noise follows from
    return pd.DataFrame(columns)


def _trained(
    config: TrainConfig, dataset: ClipDataset, train_clips: np.ndarray, model, normalisation: Normalisation
) -> TrainedModel:
    settings = run_settings(config)
    return TrainedModel(
        model=model,
        name=config.model.name,
        size=config.model.size,
        options=settings["model"]["options"],
        grades=list(dataset.grades),
        spec=dataset.spec,
        normalisation=normalisation,
        origin={key: settings[key] for key in ("experiment", "arm", "repeat", "fold", "seed")}
        | {"commit": software_commit()},
        trained_on=trained_on(config, dataset, train_clips),
        frozen_from=None if model.learner is model else config.model.pretrained,
    )
