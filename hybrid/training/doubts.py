"""What is known of trained models that makes their answers mean less, whatever they are asked about."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hybrid.data.graded_by_motion import is_graded_by_motion
from hybrid.data.simulated import is_simulated
from hybrid.evaluation.too_short import too_short
from hybrid.folders import RunFolder


def doubts(checkpoints: Sequence[Path]) -> list[str]:
    """A sentence each, by the folders of their runs; of a checkpoint that lies alone nothing is known."""
    runs = [run for run in (RunFolder(checkpoint.parent) for checkpoint in checkpoints) if run.config.is_file()]
    configs = [run.read_config() for run in runs]
    roots = [Path(config["data"]["root"]) for config in configs]
    notes = []
    if any(map(_simulated, configs)):
        notes.append("the model learned from simulated clips, so its grades are no evidence about real sperm")
    if any(map(is_graded_by_motion, roots)):
        notes.append("the model learned grades that follow from motion alone, which no panel has given")
    if short := next(filter(None, map(_too_short, configs)), ""):
        notes.append(f"{short} is too short to learn from: no answer of this model means anything")
    if runs and (tested := [other for other in runs[0].experiment.done_runs() if other.arm == runs[0].arm]):
        results = [run.read_result("metrics.mse", "mean_predictor_mse") for run in tested]
        error = np.mean([result["metrics"]["mse"] for result in results])
        of_mean = np.mean([result["mean_predictor_mse"] for result in results])
        if error >= of_mean:
            notes.append(
                f"the model errs no less than the same answer to every clip would (MSE {100 * error:.2f} and "
                f"{100 * of_mean:.2f} x 10^-2 on held-out clips): its answers tell nothing"
            )
    return notes


def _simulated(config: dict[str, Any]) -> bool:
    return config["data"].get("simulate") is not None or is_simulated(Path(config["data"]["root"]))


def _too_short(config: dict[str, Any]) -> str:
    return too_short(config["protocol"], [config.get("model", {}).get("pretrained", "")])
