"""Experiments as their files tell of them, without any training."""

from pathlib import Path

import numpy as np
import pandas as pd

from hybrid import list_models
from hybrid.evaluation.metrics import squared_error
from hybrid.files import write_json, write_yaml
from hybrid.folders import ExperimentFolder

GRADES = "ABCDE"


def write_experiment(
    path: Path,
    errors: dict[str, float],
    *,
    clips: int = 60,
    groups: int | None = 20,
    folds: int = 5,
    repeats: int = 1,
    raters: int | None = 40,
    spread: float = 0.02,
    simulated: bool = False,
) -> ExperimentFolder:
    """Finished runs of the models of `errors`: how far each one's probabilities lie from the panel's true ones.

    spread: of what each model gets wrong by chance in each clip. groups None: folds.csv has no such column.
    """
    rng = np.random.default_rng(0)
    folder = ExperimentFolder(path)
    true_NK = rng.dirichlet(np.ones(5), clips)
    target_NK = true_NK if raters is None else rng.multinomial(raters, true_NK) / raters
    names = np.array([f"p{n}/clip.mp4" for n in range(clips)])
    group_N = np.arange(clips) % (groups or clips)
    fold_RN = np.stack([rng.permutation(groups or clips)[group_N] % folds for _ in range(repeats)])
    path.mkdir(parents=True, exist_ok=True)
    columns = {"clip": names} | ({} if groups is None else {"group": [f"donor{g}" for g in group_N]})
    columns |= {f"repeat{r}": fold_N for r, fold_N in enumerate(fold_RN)}
    pd.DataFrame(columns).to_csv(folder.folds, index=False)
    for model, error in errors.items():
        direction_NK = rng.dirichlet(np.ones(5), clips)
        for repeat, fold_N in enumerate(fold_RN):
            share_N1 = np.clip(error + spread * rng.normal(size=(clips, 1)), 0, 1)
            prediction_NK = (1 - share_N1) * true_NK + share_N1 * direction_NK
            for fold in range(folds):
                run, test = folder.run(model, repeat, fold), fold_N == fold
                table = pd.DataFrame({"clip": names[test]})
                for prefix, values_NK in (("target", target_NK), ("predicted", prediction_NK)):
                    table[[f"{prefix}_{grade}" for grade in GRADES]] = values_NK[test]
                table["raters"] = np.nan if raters is None else float(raters)
                result = {
                    "model": model if model in list_models(controls=True) else "hybrid",
                    "repeat": repeat,
                    "fold": fold,
                    "metrics": {"mse": float(squared_error(prediction_NK[test], target_NK[test]).mean())},
                    "mean_predictor_mse": 0.08,
                    "simulated": simulated,
                    "parameters": 1_000_000,
                    "gmac": 0.02,
                    "train_clips": int((~test).sum()),
                    "test_clips": int(test.sum()),
                    "epochs": 2,
                    "train_seconds_per_clip": 0.02,
                    "inference_seconds_per_clip": 0.003,
                    "seconds": 12.5,
                    "machine": {"device": "cpu", "precision": "32-true"},
                    "versions": {"torch": "2.15.0"},
                }
                protocol = {"num_frames": 16, "frame_rate": 16.0, "crop_size": 64, "epochs": 2}
                data = {"name": "gone", "root": str(path / "gone"), "channels": 3}
                write_yaml(run.config, {"protocol": protocol, "data": data, "seed": 0})
                write_json(run.result, result)
                table.to_csv(run.predictions, index=False)
    return folder
