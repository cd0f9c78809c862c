"""last.ckpt, what an interrupted run continues from: whole, of finite numbers, or the one before it."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import TorchCheckpointIO
from torch import Tensor

from hybrid.errors import UserError
from hybrid.training.checkpoint import save_tensors


class WholeCheckpoints(TorchCheckpointIO):
    """Lightning's own files, but each replaces the one before it only when it is whole and in place.

    Lightning writes into TMPDIR and moves; from another file system that copies over the only good one.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        if wrong := not_finite(checkpoint["state_dict"]):
            raise UserError(f"{path}: not written, for these weights are not finite: {', '.join(wrong)}")
        save_tensors(Path(path), checkpoint)


def to_continue_from(path: Path) -> Path | None:
    """The file, if a run can continue from it. If not, a notice says why, and None that the run starts anew."""
    if not path.exists():
        return None
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, ValueError, KeyError, TypeError) as error:
        why = f"cannot be read ({type(error).__name__})"
    else:
        if not (wrong := not_finite(weights)):
            return path
        why = f"holds weights that are not finite ({wrong[0]})"
    print(f"note: {path} {why}: the run starts anew", file=sys.stderr)
    return None


def not_finite(weights: dict[str, Any]) -> list[str]:
    """The names of those that are not."""
    return [name for name, value in weights.items() if isinstance(value, Tensor) and not value.isfinite().all()]
