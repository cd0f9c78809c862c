"""The cost of every model in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch

from hybrid import create_model, get_entry
from hybrid.profiling.by_hand import BY_HAND
from hybrid.profiling.cost import Profile, profile_model
from hybrid.profiling.latency import time_inference, time_training_step
from hybrid.profiling.memory import peak_memory, size_gb
from hybrid.profiling.published import against_published
from hybrid.training.machine import Machine


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


def profile_models(
    names: Sequence[str], setting: Setting, starts: Callable[[str], object] = lambda what: None
) -> tuple[pd.DataFrame, dict[str, Profile]]:
    """A row a model, and each one's whole profile. starts: called with what is about to be done.

    parameters_M; gmac, activations_M of one clip, as `profile_model` counts them; by_hand_gmac where there is a count
    by hand; uncounted: operators left out, with their calls. native_* : our count at the published input, and the
    published figures. Where timed: latency_ms of one clip, inference_clips_s and train_clips_s at the batch size,
    inference_gb and train_gb, the peak memory there (CUDA alone). What is not known is None.
    """
    rows, profiles = [], {}
    for name in names:
        starts(f"{name}: counting")
        entry = get_entry(name)
        model = create_model(name, setting.size, num_frames=setting.num_frames, crop_size=setting.crop_size)
        profile = profiles[name] = profile_model(model, (3, setting.num_frames, setting.crop_size, setting.crop_size))
        by_hand = _by_hand(name, setting)
        row = {
            "model": name,
            "family": entry.family,
            "parameters_M": profile.parameters / 1e6,
            "gmac": profile.gmac,
            "activations_M": profile.activations / 1e6,
            "by_hand_gmac": by_hand,
            "by_hand_off_percent": by_hand and 100 * (profile.gmac / by_hand - 1),
            "uncounted": "; ".join(f"{operator} x{calls}" for operator, calls in sorted(profile.uncounted.items())),
        }
        if setting.size == "paper" and setting.published:
            starts(f"{name}: counting as published")
            row |= _published(name)
        if setting.machine is not None:
            starts(f"{name}: timing")
            row |= _timed(model, setting)
        rows.append(row)
    return pd.DataFrame(rows), profiles


def module_table(profile: Profile, depth: int) -> pd.DataFrame:
    """Modules down to `depth` dots deep: parameters_M, gmac, share of all GMAC in per cent, activations_M."""
    return pd.DataFrame(
        [
            {
                "module": name,
                "parameters_M": cost.parameters / 1e6,
                "gmac": cost.gmac,
                "gmac_percent": 100 * cost.gmac / profile.gmac,
                "activations_M": cost.activations / 1e6,
            }
            for name, cost in profile.modules.items()
            if name.count(".") < depth and (cost.parameters or cost.gmac)
        ]
    )


def _by_hand(name: str, setting: Setting) -> float | None:
    whole_windows = name != "swin" or setting.crop_size % 224 == 0
    if name not in BY_HAND or setting.size != "paper" or not whole_windows:
        return None
    return BY_HAND[name](setting.num_frames, setting.crop_size) / 1e9


def _published(name: str) -> dict[str, Any]:
    comparison = against_published(get_entry(name))
    if comparison is None:
        return {}
    there = comparison.published
    return {
        "native_input": comparison.counted_at,
        "native_parameters_M": comparison.parameters,
        "published_parameters_M": there.parameters,
        "parameters_off_percent": comparison.parameters_off,
        "native_gmac": comparison.gmac,
        "published_gmac": there.gmac,
        "gmac_off_percent": comparison.gmac_off,
        "published_by": there.source,
        "why": there.remark,
    }


def _timed(model: torch.nn.Module, setting: Setting) -> dict[str, Any]:
    machine = setting.machine
    model = machine.lay_out(model.to(machine.device))
    clip_BCTHW = torch.rand(
        setting.batch_size, 3, setting.num_frames, setting.crop_size, setting.crop_size, device=machine.device
    )
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
