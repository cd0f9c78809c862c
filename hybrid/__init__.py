"""The hybrid model, and everything that trains, measures, explains and reports any model.

This import is light: it brings the models and needs torch, torchvision, timm, einops and pytorchvideo alone.
"""

import hybrid.model.hybrid  # noqa: F401  registers the fourteenth model
from baselines import create_model, get_entry, list_models

__all__ = ["create_model", "get_entry", "list_models"]
