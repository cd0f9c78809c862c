"""Building a model by its name."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

from baselines.registry import SIZES, get_entry

if TYPE_CHECKING:
    from baselines.contract import ClipModel


def create_model(
    name: str,
    size: str = "paper",
    *,
    num_grades: int = 5,
    num_frames: int = 16,
    crop_size: int | None = None,
    in_channels: int = 3,
    pretrained: str = "none",
    **options,
) -> ClipModel:
    """Build a model.

    name: one of `list_models()` or `list_models("frozen")`.
    size: 'paper' (the published architecture) or 'tiny' (the same, scaled to 15-45 MMAC a clip).
    num_frames, crop_size: what position tables are made for (default 224 at 'paper', 64 at 'tiny').
    in_channels: 1 (grey) or 3.
    pretrained: 'none', 'official', 'simulated' (size tiny: pretrained on simulated clips, shipped with this package) or
        the path of a checkpoint (`baselines.weights`). What was loaded is
        printed to stderr and kept as `model.load_report`; a frozen network reads its weights when it needs them.
    options: the model's own, such as `variant=`; an unknown one is a TypeError that lists them.
    """
    entry = get_entry(name)
    if unknown := [option for option in options if option not in entry.options()]:
        near = get_close_matches(unknown[0], entry.options(), 1)
        meant = f", did you mean {near[0]!r}" if near else ""
        raise TypeError(f"{name} has no option {unknown[0]!r}{meant}; it has {', '.join(entry.options()) or 'none'}")
    for option, value in options.items():
        types = entry.options()[option]
        if types <= {"int", "float", "None"} and (isinstance(value, bool) or not isinstance(value, int | float | None)):
            raise ValueError(f"{option} must be a number, not {value!r}")
        if option.startswith("drop") and value is not None and not 0 <= value < 1:
            raise ValueError(f"{option} must be from 0 to below 1, not {value}")
    if size not in SIZES:
        raise ValueError(f"size must be one of {SIZES}, not {size!r}")
    if in_channels not in (1, 3):
        raise ValueError(f"in_channels must be 1 or 3, not {in_channels}")
    if num_grades < 2:
        raise ValueError(f"num_grades must be 2 or more, not {num_grades}")
    crop_size = crop_size or (224 if size == "paper" else 64)
    model = entry.build(
        size,
        num_grades=num_grades,
        num_frames=num_frames,
        crop_size=crop_size,
        in_channels=in_channels,
        **options,
    )
    if pretrained != "none":
        from baselines.weights import load_pretrained  # here, since it needs torch, which takes seconds to import

        model.load_report = load_pretrained(model, entry, pretrained, size=size, variant=options.get("variant"))
        if model.load_report is not None:
            print(model.load_report, file=sys.stderr)
    return model
