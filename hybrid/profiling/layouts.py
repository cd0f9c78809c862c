"""Whether convolutions are faster with channels last, measured: the ground for `training.machine.choose_machine`."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import torch

from hybrid import create_model
from hybrid.profiling.latency import time_training_step
from hybrid.profiling.models import Setting


def compare_layouts(names: list[str], setting: Setting) -> pd.DataFrame:
    """A row a model: ms a clip of a training step in either layout, one after the other, and how many times faster."""
    side, rows = setting.crop_size, []
    for name in names:
        milliseconds = {}
        for layout, channels_last in (("contiguous_ms", False), ("channels_last_ms", True)):
            torch.manual_seed(0)
            machine = replace(setting.machine, channels_last=channels_last)
            model = create_model(name, setting.size, num_frames=setting.num_frames, crop_size=side)
            clip_BCTHW = torch.rand(setting.batch_size, 3, setting.num_frames, side, side, device=machine.device)
            with machine.autocast():
                seconds = time_training_step(machine.lay_out(model.to(machine.device)), clip_BCTHW)
            milliseconds[layout] = 1e3 * seconds
        ratio = milliseconds["contiguous_ms"] / milliseconds["channels_last_ms"]
        rows.append({"model": name, **milliseconds, "times_faster": ratio})
    return pd.DataFrame(rows)
