"""Before the first epoch in reduced precision: are this machine's gradients right? If not, nothing is trained."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hybrid.device import Machine
from hybrid.errors import UserError
from hybrid.files import read_json, write_json
from hybrid.training.gradient_check import TOLERANCE, Found, compare_gradients

FILE = "gradient_check.json"
"""in an arm's folder, beside its runs: what was found right, and of what"""
SHOWN = 8
"""layers at most that a message names"""


def check_precision(folder: Path, model: dict[str, Any], net: nn.Module, clip_BCTHW: Tensor, machine: Machine) -> None:
    """A UserError that names the layers whose gradients are wrong in the machine's precision.

    model: the settings that `net` was built from. clip_BCTHW: of the shape of a training batch. Takes seconds, once:
    what was right is kept in `folder`, and asked again when model, shape, device, precision or versions change.
    """
    if machine.reduced is None:
        return
    # As JSON gives it back, so that it can be compared.
    asked = json.loads(json.dumps({"model": model, "clips": list(clip_BCTHW.shape), **_kernels(machine)}))
    path = folder / FILE
    if path.exists() and read_json(path)["of"] == asked:
        return
    found, clips = _in_memory(net, clip_BCTHW, machine)
    if wrong := [one for one in found if not one.error <= TOLERANCE]:
        raise UserError(_message(model["name"], clip_BCTHW[:clips], machine, wrong))
    worst = asdict(found[0]) if found else None
    write_json(path, {"of": asked, "tolerance": TOLERANCE, "layers": len(found), "worst": worst})


def _kernels(machine: Machine) -> dict[str, Any]:
    """What decides which kernels compute, and which versions of them."""
    limits = {name: os.environ[name] for name in ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY") if name in os.environ}
    return {
        "device": machine.name,
        "precision": machine.precision,
        "layout": machine.layout,
        "threads": torch.get_num_threads(),
        "limits": limits,
        "versions": {name: version(name) for name in ("torch", "torchvision", "timm", "pytorchvideo")},
        "cudnn": torch.backends.cudnn.version() if machine.device.type == "cuda" else None,
    }


def _in_memory(net: nn.Module, clip_BCTHW: Tensor, machine: Machine) -> tuple[list[Found], int]:
    """What is found, and with how many clips: half of them, and half again, where a GPU's memory does not hold more."""
    clips = len(clip_BCTHW)
    while True:
        try:
            return compare_gradients(net, clip_BCTHW[:clips], machine), clips
        except torch.OutOfMemoryError:
            if clips < 4:
                raise
        clips //= 2
        print(f"note: gradients are checked on {clips} clips, for lack of memory", file=sys.stderr)


def _message(name: str, clip_BCTHW: Tensor, machine: Machine, wrong: list[Found]) -> str:
    shape = "x".join(str(size) for size in clip_BCTHW.shape)
    lines = [f"  {one.layer}: {one.gradient} {_in_words(one.error)}" for one in wrong[:SHOWN]]
    lines += [f"  and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    return "\n".join(
        [
            f"gradients in {machine.precision} that differ from float32's by more than {TOLERANCE:g} of their size:",
            *lines,
            f"{machine.precision} trains {name} wrongly on this machine ({machine.name}, torch {torch.__version__}, "
            f"clips {shape}), so nothing was trained: use protocol.precision=32-true",
        ]
    )


def _in_words(error: float) -> str:
    return f"off by {error:.2g} of its size" if error < float("inf") else "not finite"
