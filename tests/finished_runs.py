"""An experiment whose runs are made up: what each model answers is known, nothing is trained."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from hybrid import list_models
from hybrid.data.clip import ClipSpec
from hybrid.data.folds import folds_table, make_folds
from hybrid.evaluation.metrics import evaluate, squared_error
from hybrid.evaluation.results import ExperimentResults, RunResult
from hybrid.files import write_json, write_text, write_yaml
from hybrid.folders import ExperimentFolder, RunFolder
from hybrid.report.data import ReportData

SPEC = ClipSpec(16, 16.0, 64, 3)
SHARE_OF_NOISE = {"hybrid": 0.2, "slowfast": 0.5, "vgg16": 0.7}


def run_of(folder: RunFolder, repeat: int, fold: int, clips, target_NK, prediction_NK) -> RunResult:
    """A finished run on simulated clips, as it would be read from its files."""
    error_N, raters_N = squared_error(prediction_NK, target_NK), np.full(len(clips), np.nan)
    return RunResult(
        folder,
        result={},
        arm=folder.arm,
        repeat=repeat,
        fold=fold,
        mse=error_N.mean(),
        train_clips=4 * len(clips),
        test_clips=len(clips),
        simulated=True,
        grades=tuple("ABCDE"[: target_NK.shape[1]]),
        clips=tuple(clips),
        target_NK=target_NK,
        prediction_NK=prediction_NK,
        error_N=error_N,
        raters_N=raters_N,
    )


def report_of(root: Path, runs: list[RunResult], groups: dict[str, str], frame: pd.DataFrame) -> ReportData:
    """frame: a row an arm with its title and family. Their data set is in `root`, the report below it."""
    results = ExperimentResults(ExperimentFolder(root), runs, groups, SimpleNamespace(root=root), "")
    return ReportData(results, frame, results, frame, {"mean predictor": 25.0}, pd.DataFrame(), [])


def write_runs(
    path, dataset, *, models=SHARE_OF_NOISE, simulated=False, rename=str, variants_of="hybrid"
) -> ExperimentFolder:
    """models: arms by label; those that are no model's name are variants of `variants_of`. rename: of the clips."""
    folder, rng = ExperimentFolder(path), np.random.default_rng(0)
    clips, targets_NK = [rename(clip) for clip in dataset.clips], dataset.targets_NK.astype(float)
    (fold_N,) = folds_RN = make_folds(targets_NK, dataset.groups, 2, 1, 0)
    write_text(folder.folds, folds_table(clips, dataset.groups, folds_RN))
    protocol = {"size": "tiny", "num_frames": 16, "frame_rate": 16.0, "crop_size": 64, "epochs": 2}
    data = {"name": "clips_of_mine", "root": str(dataset.root), "channels": 3}
    write_yaml(folder.settings, {"protocol": protocol, "data": {"fingerprint": dataset.fingerprint}, "seed": 7})
    for place, (model, noise) in enumerate(models.items()):
        write_yaml(folder.model(model), {"name": model, "pretrained": "none", "recipe": {"learning_rate": 0.001}})
        predicted_NK = (1 - noise) * targets_NK + noise * rng.dirichlet(np.ones(5), len(clips))
        for fold in (0, 1):
            run, tested = folder.run(model, 0, fold), np.flatnonzero(fold_N == fold)
            write_yaml(run.config, {"protocol": protocol, "data": data, "seed": 7})
            table = pd.DataFrame({"clip": [clips[n] for n in tested]})
            for kind, values_NK in (("target", targets_NK), ("predicted", predicted_NK)):
                table[[f"{kind}_{grade}" for grade in dataset.grades]] = values_NK[tested]
            table["raters"] = 40.0
            table.to_csv(run.predictions, index=False)
            write_text(run.metrics, "epoch,train/mse,test/mse\n0,0.05,0.06\n1,0.03,0.04\n")
            result = {
                "model": model if model in list_models() else variants_of,
                "repeat": 0,
                "fold": fold,
                "metrics": evaluate(predicted_NK[tested], targets_NK[tested]),
                "mean_predictor_mse": 0.08,
                "simulated": simulated,
                "parameters": 1_000_000 * (place + 1),
                "gmac": 0.02 * (place + 1),
                "train_clips": len(clips) - len(tested),
                "test_clips": len(tested),
                "epochs": 2,
                "train_seconds_per_clip": 0.02,
                "inference_seconds_per_clip": 0.003 * (place + 1),
                "seconds": 12.5,
                "machine": {"device": "cpu", "precision": "32-true"},
                "commit": "0123abc",
                "versions": {"torch": "2.15.0"},
            }
            write_json(run.result, result)
    return folder
