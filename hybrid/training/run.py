"""One run: train one model on all folds but one, evaluate its last epoch on that one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch

from hybrid.config import TrainConfig, parts_of_a_batch
from hybrid.data.dataset import ClipDataset
from hybrid.data.folds import subsample
from hybrid.data.loader import InMemoryClips, evaluation_batches, training_batches
from hybrid.data.transforms import Normalisation
from hybrid.evaluation.metrics import PANEL, evaluate, squared_error
from hybrid.files import read_json, software_commit, whole_file, write_json, write_yaml
from hybrid.folders import RunFolder, run_folder, run_settings
from hybrid.profiling import profile_model
from hybrid.training.build import build_model, input_normalisation
from hybrid.training.callbacks import History
from hybrid.training.checkpoint import TrainedModel, save_trained
from hybrid.training.ensemble import predict_distributions
from hybrid.training.fit import Outcome, begin, fit, once
from hybrid.training.module import GradeModule
from hybrid.training.optimiser import freeze_batchnorm
from hybrid.training.seen import check_start, trained_on

COSTS = ("parameters", "gmac", "train_seconds_per_clip", "inference_seconds_per_clip")
"""of a result, logged beside the fold's measures"""


def train_run(
    config: TrainConfig, dataset: ClipDataset, fold_of_N: np.ndarray, callbacks: Sequence[pl.Callback] = ()
) -> dict[str, Any]:
    """Do the run that `config` names, or continue it, unless it is done; return its result.

    fold_of_N: the fold of each clip in this repeat; the clips of `config.fold` are tested on.
    callbacks: of Lightning, to watch it with.
    """
    run = run_folder(config)
    write_yaml(run.config, run_settings(config))
    return once(run, lambda: _train(config, dataset, fold_of_N, run, callbacks))


def run_seed(config: TrainConfig) -> int:
    """A seed of the run's own: other folds and repeats start from other weights."""
    return int(np.random.SeedSequence((config.seed, config.repeat, config.fold)).generate_state(1)[0])


def _train(
    config: TrainConfig, dataset: ClipDataset, fold_of_N: np.ndarray, run: RunFolder, callbacks: Sequence[pl.Callback]
) -> dict[str, Any]:
    seen = check_start(config, dataset, fold_of_N)
    protocol, recipe, seed, begun = config.protocol, config.model.recipe, run_seed(config), begin(config)
    machine, _ = begun
    pl.seed_everything(seed, verbose=False)
    model = build_model(config, len(dataset.grades))
    profile = _profile(run, config, model)
    machine.to_channels_last(model)
    normalisation = input_normalisation(config)
    used = model.used_frames(config.model.num_frames)
    clips = InMemoryClips(dataset.frames_NTHWC, normalisation, used, dataset.moments)
    training_folds, test_clips = np.flatnonzero(fold_of_N != config.fold), np.flatnonzero(fold_of_N == config.fold)
    # Every fold draws its share anew, so that their mean does not hang on one draw; models draw the same.
    draw = (config.seed, config.repeat, config.fold)
    train_clips = subsample(training_folds, dataset.groups, recipe.train_share, draw)
    module = GradeModule(model, clips, torch.as_tensor(dataset.targets_NK), config, seed)
    batches = training_batches(train_clips, protocol.batch_size, seed, len(training_folds), parts_of_a_batch(config))
    freeze_batchnorm(model, recipe.frozen)
    shown = clips.batch(torch.as_tensor(np.resize(train_clips, batches.batch_size)), machine.device)

    def outcome(history: History) -> Outcome:
        prediction_NK, infer_seconds = predict_distributions(model, clips, test_clips, protocol.batch_size, machine)
        predictions = _prediction_table(dataset, test_clips, prediction_NK)
        save_trained(run.model, _trained(config, dataset, train_clips, model, normalisation))
        with whole_file(run.predictions) as temporary:
            predictions.to_csv(temporary, index=False)
        metrics = evaluate(
            prediction_NK,
            dataset.targets_NK[test_clips],
            raters=np.nan_to_num(_raters(dataset, test_clips), nan=PANEL),
        )
        result = {
            "arm": config.arm,
            "model": config.model.name,
            "repeat": config.repeat,
            "fold": config.fold,
            "metrics": metrics,
            "mean_predictor_mse": _mean_predictor_mse(dataset.targets_NK[train_clips], dataset.targets_NK[test_clips]),
            "simulated": dataset.simulated,
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
            "inference_seconds_per_clip": infer_seconds,
        }
        figures = {f"fold/{name}": value for name, value in metrics.items()} | {name: result[name] for name in COSTS}
        return Outcome(result, figures, {"predictions": predictions})

    return fit(
        run,
        module,
        (batches, evaluation_batches(test_clips, protocol.batch_size)),
        outcome,
        settings=run_settings(config),
        begun=begun,
        epochs=protocol.epochs,
        checked=(model, shown),
        name_of=lambda clip: dataset.clips[clip],
        callbacks=callbacks,
    )


def _profile(run: RunFolder, config: TrainConfig, model) -> dict[str, float]:
    """Parameters and GMAC of one clip, counted by an arm's first run and kept beside its runs."""
    path = run.path.parent / "profile.json"
    if not path.exists():
        side = config.protocol.crop_size
        shape = (config.data.channels, config.model.num_frames, side, side)
        profile = profile_model(model, shape)
        write_json(path, {"parameters": profile.parameters, "gmac": profile.gmac})
    return read_json(path)


def _mean_predictor_mse(train_NK: np.ndarray, test_NK: np.ndarray) -> float:
    """What a model must beat: the error of the training clips' mean distribution."""
    return float(squared_error(np.broadcast_to(train_NK.mean(0), test_NK.shape), test_NK).mean())


def _raters(dataset: ClipDataset, clips: np.ndarray) -> np.ndarray:
    """How many voted on each clip; NaN where nothing says: labels.csv holds fractions and there is no ratings.csv."""
    if dataset.ratings is not None:
        return (dataset.ratings.ratings_NR[clips] >= 0).sum(1).astype(float)
    votes_N = dataset.votes_NK[clips].sum(1)
    return votes_N if (votes_N > 1.5).all() else np.full(len(clips), np.nan)


def _prediction_table(dataset: ClipDataset, clips: np.ndarray, prediction_NK: np.ndarray) -> pd.DataFrame:
    columns = {"clip": [dataset.clips[clip] for clip in clips]}
    for kind, values_NK in (("target", dataset.targets_NK[clips]), ("predicted", prediction_NK)):
        columns |= {f"{kind}_{grade}": values_NK[:, k] for k, grade in enumerate(dataset.grades)}
    columns["raters"] = _raters(dataset, clips)  # what the panel's noise follows from
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
    )
