"""What the machine at hand does best."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from hybrid.errors import UserError

ACCELERATORS = ("auto", "cpu", "gpu", "mps")
PRECISIONS = ("auto", "32-true", "bf16-mixed", "16-mixed")


@dataclass(frozen=True)
class Machine:
    """Where and how to compute: a device, Lightning's name of a precision, and the layout of features."""

    device: torch.device
    precision: str
    channels_last: bool

    def lay_out(self, model: nn.Module) -> nn.Module:
        """The model itself, with the kernels of its convolutions, in 2D and 3D, in the layout this machine wants.

        Features follow the layout of the kernels, so that clips can stay as they are.
        """
        formats = {4: torch.channels_last, 5: torch.channels_last_3d}
        for parameter in model.parameters() if self.channels_last else ():
            if parameter.ndim in formats:
                parameter.data = parameter.data.contiguous(memory_format=formats[parameter.ndim])
        return model

    def autocast(self) -> torch.autocast:
        """The context of a forward pass at this precision."""
        dtype = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(self.precision)
        return torch.autocast(self.device.type, dtype=dtype, enabled=dtype is not None)


def choose_machine(accelerator: str = "auto", precision: str = "auto") -> Machine:
    """The device that `accelerator` names ('auto': the GPU if there is one) and the precision it is fastest in.

    bfloat16 needs hardware for it (Ampere and later, AVX512-BF16 on a CPU); elsewhere it is slower than float32
    on a CPU, and a GPU takes float16. Convolutions in half precision want channels last; so do those of the tiny sizes
    on a CPU in any precision (`python tools/profile_models.py --layouts` measures both).
    A name that is none of ACCELERATORS or PRECISIONS, or a device that is not there, is a UserError.
    """
    if accelerator not in ACCELERATORS:
        raise UserError(f"accelerator must be one of {', '.join(ACCELERATORS)}, not {accelerator!r}")
    if precision not in PRECISIONS:
        raise UserError(f"protocol.precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
    there = {"gpu": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if accelerator in there and not there[accelerator]():
        raise UserError(f"accelerator={accelerator}: torch finds no such device on this machine")
    if accelerator == "auto":
        accelerator = "gpu" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device("cuda" if accelerator == "gpu" else accelerator)
    if precision == "auto":
        precision = _fastest_precision(device)
    half = precision in ("bf16-mixed", "16-mixed")
    return Machine(device, precision, channels_last=half or device.type == "cpu")


def _fastest_precision(device: torch.device) -> str:
    if device.type == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    if device.type == "cpu" and _cpu_multiplies_bfloat16():
        return "bf16-mixed"
    return "32-true"


def _cpu_multiplies_bfloat16() -> bool:
    # No public name for this yet; without the private one, float32 is the safe answer.
    check = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(check and check())
