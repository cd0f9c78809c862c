"""Thirteen published models behind one contract. Imports nothing of the rest of the project."""

import warnings

from baselines.contract import ClipModel, Features, Intermediates, TemporalAttention
from baselines.registry import ModelEntry, create_model, get_entry, list_models, register

# isort: split
# Each of these registers its models; their order is that of the paper's tables.
from baselines import vgg16, resnet50, vit, swin, convit, mixer  # noqa: F401, I001
from baselines import r3d, r2plus1d, i3d, slowfast, x3d, timesformer, vivit  # noqa: F401

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
]

# fvcore, which pytorchvideo imports, scripts a loss that nobody here uses; the user can do nothing about it.
warnings.filterwarnings("ignore", message=r"`torch\.jit\.script` is deprecated", category=FutureWarning)
