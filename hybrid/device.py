"""What the machine at hand does best: device, precision, layout, and memory that stays with the process."""

import ctypes
import platform
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from hybrid.config import ACCELERATORS
from hybrid.errors import UserError

REDUCED = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
PRECISIONS = ("auto", "32-true", *REDUCED)


@dataclass(frozen=True)
class Machine:
    """Where and how to compute: a device, Lightning's name of a precision, and the layout of features."""

    device: torch.device
    precision: str
    channels_last: bool

    def to_channels_last(self, model: nn.Module) -> nn.Module:
        """The model itself, with the kernels of its convolutions, in 2D and 3D, in the layout this machine wants.

        Features follow the layout of the kernels, so that clips can stay as they are.
        """
        formats = {4: torch.channels_last, 5: torch.channels_last_3d}
        for parameter in model.parameters() if self.channels_last else ():
            if parameter.ndim in formats:
                parameter.data = parameter.data.contiguous(memory_format=formats[parameter.ndim])
        return model

    @property
    def name(self) -> str:
        """of the GPU, or of the processor with the instructions that torch computes with there"""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"{_processor()} ({torch.backends.cpu.get_cpu_capability()})" if self.device.type == "cpu" else "mps"

    @property
    def layout(self) -> str:
        return "channels last" if self.channels_last else "channels first"

    @property
    def reduced(self) -> torch.dtype | None:
        """what most operators compute in, where that is less than float32"""
        return REDUCED.get(self.precision)

    def autocast(self) -> torch.autocast:
        """The context of a forward pass at this precision."""
        return torch.autocast(self.device.type, dtype=self.reduced, enabled=self.reduced is not None)


def choose_machine(accelerator: str = "auto", precision: str = "auto") -> Machine:
    """The device that `accelerator` names ('auto': the GPU if there is one) and how it computes.

    'auto' precision is float32 on every CPU, so that all of them compute by one rule: bfloat16 is no faster there for
    most models, and torch's own may be wrong (`training.gradient_check`). On a GPU it is bfloat16, or float16 where
    the GPU has no bfloat16. Channels are last on a CPU, and wherever convolutions are in half precision
    (`python tools/profile_models.py --layouts` measures both).
    `cuda` is `gpu`. A name that is none of ACCELERATORS or PRECISIONS, or a device that is not there, is a UserError.
    """
    asked, accelerator = accelerator, "gpu" if accelerator == "cuda" else accelerator
    if accelerator not in ACCELERATORS:
        raise UserError(f"accelerator must be one of {', '.join(ACCELERATORS)}, not {accelerator!r}")
    if precision not in PRECISIONS:
        raise UserError(f"protocol.precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
    there = {"gpu": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if accelerator in there and not there[accelerator]():
        raise UserError(f"accelerator={asked}: torch finds no such device on this machine; leave it out, or give cpu")
    if accelerator == "auto":
        accelerator = "gpu" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device("cuda" if accelerator == "gpu" else accelerator)
    if precision == "auto":
        precision = _usual_precision(device)
    return Machine(device, precision, channels_last=device.type == "cpu" or precision in REDUCED)


def _usual_precision(device: torch.device) -> str:
    if device.type != "cuda":
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"


def _processor() -> str:
    """Linux tells its name only here."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""of malloc.h"""
KEPT = 2**30
"""bytes"""


def keep_freed_memory() -> bool:
    """Have glibc keep freed blocks of up to KEPT bytes; returns whether it will.

    By default it gives blocks above 32 MiB, such as a batch of features, back to the system at once, and in every step
    the system maps and zeroes them anew, page by page. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_THRESHOLD, KEPT) and mallopt(M_TRIM_THRESHOLD, KEPT))
