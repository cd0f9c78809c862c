"""Ablations: which arms belong together, and what each changes beside the default.

Exploratory, all of it: an ablation asks as many questions as it has arms. Errors are MSE x 10^-2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from hybrid.evaluation.comparisons import COMPARED, EXPLORATORY, SCALE, compare, in_words, tested_to_trained
from hybrid.evaluation.results import Runs
from hybrid.evaluation.statistics import corrected_resampled_t, holm
from hybrid.files import read_yaml, write_yaml
from hybrid.folders import ExperimentFolder

JOINT = "+"
"""between the labels of the arms that an arm of a factorial combines"""

COLUMNS = ("arm", *COMPARED, "interaction", "interaction_low", "interaction_high")


@dataclass(frozen=True)
class Arm:
    """label: of its runs' folder, '' for the model's own name. shown: what tables call it. settings: Hydra's words."""

    label: str
    shown: str
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ablation:
    """`arms` are compared with `default`; factors: the names of the ablations that a factorial combines."""

    name: str
    help: str
    default: Arm
    arms: tuple[Arm, ...]
    factors: tuple[str, ...] = ()


def arms_of(ablations: Iterable[Ablation]) -> list[Arm]:
    """Every arm once, in order, each ablation's default before its others."""
    return list({arm.label: arm for ablation in ablations for arm in (ablation.default, *ablation.arms)}.values())


def record_ablations(folder: ExperimentFolder, ablations: Iterable[Ablation]) -> None:
    """Keep with the experiment what belongs together: configs may say something else when the report is written.

    They are added to those that are recorded; one of the same name is replaced.
    """
    known = {ablation.name: ablation for ablation in (*recorded_ablations(folder), *ablations)}
    written = {}
    for name, of in known.items():
        default, *arms = (asdict(arm) | {"settings": list(arm.settings)} for arm in (of.default, *of.arms))
        written[name] = {"help": of.help, "factors": list(of.factors), "default": default, "arms": arms}
    write_yaml(folder.ablations, written)


def recorded_ablations(folder: ExperimentFolder) -> list[Ablation]:
    """In the order they were first asked for."""
    if not folder.ablations.exists():
        return []

    def arm(of: dict) -> Arm:
        return Arm(of["label"], of["shown"], tuple(of["settings"]))

    return [
        Ablation(name, of["help"], arm(of["default"]), tuple(map(arm, of["arms"])), tuple(of["factors"]))
        for name, of in read_yaml(folder.ablations).items()
    ]


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
