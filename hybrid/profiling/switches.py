"""What each value of each switch of the hybrid costs, beside SlowFast and TimeSformer: the ablations' price list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pandas as pd
import torch

from hybrid import create_model, list_models
from hybrid.model.axes import Axes
from hybrid.profiling.cost import Profile, profile_model

OF_SLOWFAST = {"alpha": (2, 8), "slow_frames": ("stride",)}
"""switches that the hybrid shares with SlowFast, and their values besides the default"""


def settings() -> list[tuple[str, str, dict[str, Any]]]:
    """Name, model and options: the baselines, the hybrid at default, each other value of each switch, the controls."""
    rows = [(name, name, {}) for name in ("slowfast", "timesformer", "hybrid")]
    for axis in fields(Axes):
        values = [value for value in axis.metadata["values"] if value != axis.default]
        rows += [(f"{axis.name}={value}", "hybrid", {axis.name: value}) for value in values]
    for axis, values in OF_SLOWFAST.items():
        rows += [(f"{axis}={value}", "hybrid", {axis: value}) for value in values]
    return rows + [(name, name, {}) for name in list_models(controls=True) if name not in list_models()]


def cost_of_switches(
    size: str, num_frames: int, crop_size: int, starts: Callable[[str], object] = lambda name: None
) -> pd.DataFrame:
    """A row a setting: `setting`, `parameters_M`, `gmac` of one clip, and both over SlowFast's; `uncounted` operators.

    What a switch changes in training alone costs nothing here: drop path, first weights.
    """
    rows, slowfast = [], None
    for name, model_name, options in settings():
        starts(name)
        torch.manual_seed(0)
        model = create_model(model_name, size, num_frames=num_frames, crop_size=crop_size, **options)
        profile = profile_model(model, (3, num_frames, crop_size, crop_size))
        slowfast = slowfast or profile
        rows.append(_row(name, profile, slowfast))
    return pd.DataFrame(rows)


def _row(name: str, profile: Profile, slowfast: Profile) -> dict[str, Any]:
    return {
        "setting": name,
        "parameters_M": profile.parameters / 1e6,
        "parameters_ratio": profile.parameters / slowfast.parameters,
        "gmac": profile.gmac,
        "gmac_ratio": profile.gmac / slowfast.gmac,
        "uncounted": ", ".join(sorted(profile.uncounted)),
    }
