"""The paper's thirteen models, its authors' next, and frozen ones of today behind one contract.

Imports nothing of the rest of the project.
"""

import warnings

from baselines.factory import create_model
from baselines.registry import ModelEntry, get_entry, list_models, register, register_module

__all__ = [
    "ClipModel",
    "Features",
    "Intermediates",
    "ModelEntry",
    "TemporalAttention",
    "create_model",
    "get_entry",
    "list_models",
    "register",
    "register_module",
]

MODULES = (
    "vgg16 resnet50 vit swin convit mixer r3d r2plus1d i3d slowfast x3d timesformer vivit rostfine "
    "vjepa2 videoprism videomae mvit"
)
for name in MODULES.split():
    register_module(f"baselines.{name}", name)

# fvcore, which pytorchvideo imports, scripts a loss that nobody here uses; the user can do nothing about it.
warnings.filterwarnings("ignore", message=r"`torch\.jit\.script` is deprecated", category=FutureWarning)


def __getattr__(name: str):
    """The contract's classes need torch, which takes seconds to import: it is when they are asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from baselines import contract

    return getattr(contract, name)
