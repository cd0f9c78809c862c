"""The cost of models in one table: beside published figures, by layout of memory, and by option of the hybrid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pandas as pd
import torch
from torch import nn

from baselines.registry import ModelEntry
from hybrid import create_model, get_entry, list_models
from hybrid.device import Machine
from hybrid.model.options import FIRST_DESIGN, OF_BRANCHES, HybridOptions
from hybrid.profiling.cost import ModuleCost, Profile, profile_model
from hybrid.profiling.timing import peak_memory, size_gb, time_inference, time_training_step


@dataclass(frozen=True)
class Setting:
    """What is profiled: models of one size on clips of one shape; machine None: nothing is timed."""

    size: str = "paper"
    num_frames: int = 16
    crop_size: int = 224
    batch_size: int = 8
    machine: Machine | None = None
    published: bool = True
    """count the published variant at its own input too (paper size)"""

    @property
    def clip_shape(self) -> tuple[int, int, int, int]:
        return 3, self.num_frames, self.crop_size, self.crop_size

    def build(self, name: str, **options) -> nn.Module:
        return create_model(name, self.size, num_frames=self.num_frames, crop_size=self.crop_size, **options)


def profile_models(
    names: Sequence[str], setting: Setting, starts: Callable[[str], object] = lambda what: None
) -> tuple[pd.DataFrame, dict[str, Profile]]:
    """A row a model, and each one's whole profile. starts: called with what is about to be done.

    parameters_M; gmac, activations_M of one clip, as `profile_model` counts them; uncounted: operators left out, with
    their calls; the columns of `against_published`. Where timed: latency_ms of one clip, inference_clips_s and
    train_clips_s at the batch size, inference_gb and train_gb, the peak memory there (CUDA alone). What is not known
    is None.
    """
    rows, profiles = [], {}
    for name in names:
        starts(f"{name}: counting")
        model = setting.build(name)
        profile = profiles[name] = profile_model(model, setting.clip_shape)
        row = {
            "model": name,
            "family": get_entry(name).family,
            **figures(profile),
            "uncounted": "; ".join(f"{operator} x{calls}" for operator, calls in sorted(profile.uncounted.items())),
        }
        if setting.size == "paper" and setting.published:
            starts(f"{name}: counting as published")
            row |= against_published(get_entry(name))
        if setting.machine is not None:
            starts(f"{name}: timing")
            row |= _timed(model, setting)
        rows.append(row)
    return pd.DataFrame(rows), profiles


def module_table(profile: Profile, depth: int) -> pd.DataFrame:
    """Modules down to `depth` dots deep: parameters_M, gmac, share of all GMAC in per cent, activations_M."""
    rows = [
        {"module": name, **figures(cost), "gmac_percent": 100 * cost.gmac / profile.gmac}
        for name, cost in profile.modules.items()
        if name.count(".") < depth and (cost.parameters or cost.gmac)
    ]
    return pd.DataFrame(rows, columns=["module", "parameters_M", "gmac", "gmac_percent", "activations_M"])


def figures(cost: Profile | ModuleCost) -> dict[str, float]:
    return {"parameters_M": cost.parameters / 1e6, "gmac": cost.gmac, "activations_M": cost.activations / 1e6}


def against_published(entry: ModelEntry) -> dict[str, Any]:
    """The default variant, built and counted at the published input and classes, beside the published figures.

    native_*: our count; *_off_percent: by how much it is above the published one. Empty where the entry has no figures;
    the gmac are None where none are published.
    """
    there = entry.published
    if there is None:
        return {}
    frames = max(there.frames, 8)  # of which an image model sees one
    model = create_model(entry.name, num_grades=there.classes, num_frames=frames, crop_size=there.crop)
    model.checked = lambda clip_BCTHW: clip_BCTHW  # no check of the crop: X3D-L's native 312 px are no multiple of 16
    profile = profile_model(model, (3, frames, there.crop, there.crop))
    seen = "one frame" if there.frames == 1 else f"{there.frames} frames"
    parameters_M = profile.parameters / 1e6
    return {
        "native_input": f"{seen} of {there.crop} px, {there.classes} classes",
        "native_parameters_M": parameters_M,
        "published_parameters_M": there.parameters,
        "parameters_off_percent": 100 * (parameters_M / there.parameters - 1),
        "native_gmac": profile.gmac,
        "published_gmac": there.gmac,
        "gmac_off_percent": None if there.gmac is None else 100 * (profile.gmac / there.gmac - 1),
        "published_by": there.source,
        "why": there.remark,
    }


def _timed(model: nn.Module, setting: Setting) -> dict[str, Any]:
    machine = setting.machine
    model = machine.to_channels_last(model.to(machine.device))
    clip_BCTHW = torch.rand(setting.batch_size, *setting.clip_shape, device=machine.device)
    input_gb = clip_BCTHW.numel() * clip_BCTHW.element_size() / 1e9
    with machine.autocast():
        latency = time_inference(model, clip_BCTHW[:1])
        with peak_memory(machine.device) as inference_peak:
            inference = time_inference(model, clip_BCTHW)
        with peak_memory(machine.device) as train_peak:  # trains a copy, so its weights are in it
            train = time_training_step(model, clip_BCTHW)
    held = input_gb + size_gb(model)
    return {
        "latency_ms": 1e3 * latency,
        "inference_clips_s": 1 / inference,
        "train_clips_s": 1 / train,
        "inference_gb": inference_peak.gb and inference_peak.gb + held,
        "train_gb": train_peak.gb and train_peak.gb + input_gb,
    }


def compare_layouts(names: Sequence[str], setting: Setting) -> pd.DataFrame:
    """Whether convolutions are faster with channels last: the ground for `training.machine.choose_machine`.

    A row a model: ms a clip of a training step in either layout, one after the other, and how many times faster.
    """
    rows = []
    for name in names:
        row = {"model": name}
        for layout, channels_last in (("contiguous_ms", False), ("channels_last_ms", True)):
            torch.manual_seed(0)
            machine = replace(setting.machine, channels_last=channels_last)
            model = setting.build(name)
            clip_BCTHW = torch.rand(setting.batch_size, *setting.clip_shape, device=machine.device)
            with machine.autocast():
                seconds = time_training_step(machine.to_channels_last(model.to(machine.device)), clip_BCTHW)
            row[layout] = 1e3 * seconds
        rows.append(row | {"times_faster": row["contiguous_ms"] / row["channels_last_ms"]})
    return pd.DataFrame(rows)


OF_SLOWFAST = {"alpha": (2, 8), "slow_frames": ("stride",)}
"""options that the hybrid shares with SlowFast, and their values besides the default"""


def option_settings() -> list[tuple[str, str, dict[str, Any]]]:
    """Name, model and options: the baselines, the hybrid at default, each other value of each option, the controls.

    What branches alone have is varied on the first design, which has them.
    """
    rows = [(name, name, {}) for name in ("slowfast", "timesformer", "hybrid")]
    for option in fields(HybridOptions):
        values = [value for value in option.metadata["values"] if value != option.default]
        base = FIRST_DESIGN if option.name in OF_BRANCHES.split() else {}
        rows += [(f"{option.name}={value}", "hybrid", base | {option.name: value}) for value in values]
    for name, values in OF_SLOWFAST.items():
        rows += [(f"{name}={value}", "hybrid", {name: value}) for value in values]
    return rows + [(name, name, {}) for name in list_models(controls=True) if name not in list_models()]


def cost_of_options(setting: Setting, starts: Callable[[str], object] = lambda name: None) -> pd.DataFrame:
    """The ablations' price list: what each value of each option of the hybrid costs, beside SlowFast and TimeSformer.

    A row a setting: `setting`, `parameters_M`, `gmac` of one clip, and both over SlowFast's; `uncounted` operators.
    What an option changes in training alone costs nothing here: drop path, first weights.
    """
    rows, slowfast = [], None
    for label, name, options in option_settings():
        starts(label)
        torch.manual_seed(0)
        profile = profile_model(setting.build(name, **options), setting.clip_shape)
        slowfast = slowfast or profile
        ratios = {
            "parameters_ratio": profile.parameters / slowfast.parameters,
            "gmac_ratio": profile.gmac / slowfast.gmac,
        }
        rows.append({"setting": label, **figures(profile), **ratios, "uncounted": ", ".join(sorted(profile.uncounted))})
    columns = ["setting", "parameters_M", "parameters_ratio", "gmac", "gmac_ratio", "uncounted"]
    return pd.DataFrame(rows, columns=columns)


HEADINGS = {
    "model": ("model", "{}"),
    "module": ("module", "{}"),
    "parameters_M": ("params M", "{:.2f}"),
    "gmac": ("GMAC", "{:.4g}"),
    "gmac_percent": ("of GMAC", "{:.1f} %"),
    "activations_M": ("activ. M", "{:.4g}"),
    "latency_ms": ("latency ms", "{:.1f}"),
    "inference_clips_s": ("infer clips/s", "{:.3g}"),
    "train_clips_s": ("train clips/s", "{:.3g}"),
    "inference_gb": ("infer GB", "{:.2f}"),
    "train_gb": ("train GB", "{:.2f}"),
    "uncounted": ("not counted", "{}"),
}
PUBLISHED = {
    "model": ("model", "{}"),
    "native_input": ("published at", "{}"),
    "published_parameters_M": ("params M", "{:g}"),
    "native_parameters_M": ("ours", "{:.2f}"),
    "parameters_off_percent": ("off", "{:+.2f} %"),
    "published_gmac": ("GMAC", "{:g}"),
    "native_gmac": ("ours", "{:.2f}"),
    "gmac_off_percent": ("off", "{:+.2f} %"),
    "published_by": ("source", "{}"),
    "why": ("why they differ", "{}"),
}
