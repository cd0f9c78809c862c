"""What is known of trained models that makes their answers mean less, whatever they are asked about.

It is read from the folders of their runs, as far as these tell: whoever has a checkpoint alone, or a run's folder that
was moved, renamed or has lost a file, has its answers all the same.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hybrid.data.graded_by_motion import is_graded_by_motion
from hybrid.data.simulated import is_simulated
from hybrid.errors import UserError
from hybrid.evaluation.too_short import too_short
from hybrid.files import read_json, read_yaml
from hybrid.folders import CONFIG, RunFolder


def doubts(checkpoints: Sequence[Path]) -> list[str]:
    """A sentence each; none where nothing is known."""
    runs = [RunFolder(checkpoint.resolve().parent) for checkpoint in checkpoints]
    configs, results = [_config(run) for run in runs], [_result(run.result) for run in runs]
    notes = []
    if any(result.get("simulated") for result in results) or any(map(_simulated, configs)):
        notes.append("the model learned from simulated clips, so its grades are no evidence about real sperm")
    if any(result.get("graded_by_motion") for result in results) or any(map(_graded_by_motion, configs)):
        notes.append("the model learned grades that follow from motion alone, which no panel has given")
    if short := next(filter(None, map(_too_short, configs)), ""):
        notes.append(f"{short} is too short to learn from: no answer of this model means anything")
    if not (tested := list(filter(None, map(_errors, results)))):  # trained on all clips: by its arm's other runs
        others = sorted(runs[0].path.parent.glob("repeat*-fold*/result.json")) if runs else []
        tested = list(filter(None, map(_errors, map(_result, others))))
    if tested:
        error, of_mean = np.mean(tested, axis=0)
        if error >= of_mean:
            notes.append(
                f"the model errs no less than the same answer to every clip would (MSE {100 * error:.2f} and "
                f"{100 * of_mean:.2f} x 10^-2 on held-out clips): its answers tell nothing"
            )
    return notes


def _config(run: RunFolder) -> dict[str, Any]:
    try:
        return read_yaml(run.config, CONFIG)
    except (OSError, UserError):
        return {}


def _result(path: Path) -> dict[str, Any]:
    try:
        result = read_json(path)
    except (OSError, UserError):
        return {}
    return result if isinstance(result, dict) else {}


def _errors(result: dict[str, Any]) -> tuple[float, float] | None:
    """The MSE on held-out clips, and that of the mean distribution."""
    metrics = result.get("metrics")
    found = (metrics.get("mse") if isinstance(metrics, dict) else None, result.get("mean_predictor_mse"))
    return found if all(isinstance(value, float) and np.isfinite(value) for value in found) else None


def _simulated(config: dict[str, Any]) -> bool:
    return bool(config) and (config["data"].get("simulate") is not None or is_simulated(Path(config["data"]["root"])))


def _graded_by_motion(config: dict[str, Any]) -> bool:
    try:
        return bool(config) and is_graded_by_motion(Path(config["data"]["root"]))
    except (OSError, UserError):
        return False


def _too_short(config: dict[str, Any]) -> str:
    return too_short(config["protocol"], [(config.get("model") or {}).get("pretrained", "")]) if config else ""
