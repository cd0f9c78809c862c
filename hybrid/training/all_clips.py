"""What to expect of a model that is trained on all clips (`fold=none`).

None is left to test it on. Its error is expected to be that of the runs that cross-validate its arm, each trained on
fewer clips.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hybrid.folders import RunFolder


def expected_error(run: RunFolder) -> dict[str, Any] | None:
    """Mean and sd (None of one run) over the finished runs of the arm that were tested, and their number; or None."""
    of_arm = [other for other in run.experiment.done_runs() if other.arm == run.arm]
    errors = [tested.read_result("metrics.mse")["metrics"]["mse"] for tested in of_arm]
    if not errors:
        return None
    spread = float(np.std(errors, ddof=1)) if len(errors) > 1 else None
    return {"mse": float(np.mean(errors)), "mse_sd": spread, "runs": len(errors)}


def told(run: RunFolder, train_clips: int) -> str:
    """In a sentence, by what the experiment holds now."""
    said = f"{run.label}: trained on all {train_clips} clips, tested on none."
    if (expected := expected_error(run)) is None:
        return f"{said} What to expect is unknown: no run of {run.arm} in {run.experiment.path} was tested"
    spread = "" if expected["mse_sd"] is None else f" (sd {100 * expected['mse_sd']:.2f})"
    runs = f"{expected['runs']} cross-validated run{'s' if expected['runs'] > 1 else ''}"
    return f"{said} Expect the MSE of its {runs}: {100 * expected['mse']:.2f}{spread} x 10^-2"
