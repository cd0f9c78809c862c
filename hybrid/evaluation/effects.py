"""What each arm of an ablation does to the error beside the default, in MSE x 10^-2.

Exploratory, all of it: an ablation asks as many questions as it has arms.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hybrid.evaluation.comparisons import COMPARED, EXPLORATORY, SCALE, compare, in_words, tested_to_trained
from hybrid.evaluation.results import Runs
from hybrid.evaluation.statistics import corrected_resampled_t, holm

COLUMNS = ("arm", *COMPARED, "interaction", "interaction_low", "interaction_high")


def effects(
    runs: dict[str, Runs],
    default: str,
    arms: Sequence[str],
    groups: dict[str, str],
    *,
    parts: dict[str, tuple[str, ...]] | None = None,
    repetitions: int = 10_000,
) -> pd.DataFrame:
    """A row an arm, in order: the arm minus the default, as `compare` tells it, with p_holm over these arms.

    runs: of every arm by label. Where fewer than 2 runs can be paired all but `arm` is NaN.
    parts: of an arm that combines two others, these. Its `interaction` is what the combination does beyond the sum of
        what each does by itself, arm - one - other + default run by run, with the corrected t's 95 % interval.
    """
    rows = []
    for arm in arms:
        row = {"arm": arm}
        comparison = compare(runs.get(arm, {}), runs.get(default, {}), groups, repetitions)
        if comparison is not None:
            row |= comparison
            row["words"] = in_words(row | {"arm_a": arm, "arm_b": default, "kind": EXPLORATORY, "p_holm": np.nan})
            row |= _interaction(runs, default, arm, (parts or {}).get(arm, ()), len(groups))
        rows.append(row)
    answered = [row for row in rows if "p" in row]
    for row, p_holm in zip(answered, holm([row["p"] for row in answered]), strict=True):
        row["p_holm"] = float(p_holm)
    return pd.DataFrame(rows, columns=COLUMNS)


def _interaction(
    runs: dict[str, Runs], default: str, arm: str, parts: tuple[str, ...], all_clips: int
) -> dict[str, float]:
    if len(parts) != 2 or any(part not in runs for part in parts):
        return {}
    one, other = (runs[part] for part in parts)
    shared = sorted(runs[arm].keys() & one.keys() & other.keys() & runs[default].keys())
    if len(shared) < 2:
        return {}
    beyond = [SCALE * (runs[arm][k].mse - one[k].mse - other[k].mse + runs[default][k].mse) for k in shared]
    test = corrected_resampled_t(beyond, tested_to_trained([runs[arm][k].test_clips for k in shared], all_clips))
    return {"interaction": test.mean, "interaction_low": test.low, "interaction_high": test.high}
