"""The hybrid model, and everything that trains, measures, explains and reports any model.

`from hybrid import create_model, list_models, get_entry` brings the models and needs torch, torchvision, timm, einops
and pytorchvideo alone; `load_grader` grades clips with a trained one. Importing this package tells the baselines'
registry where the hybrid and its controls are; their modules, and torch, are imported when a model is asked for, and
not to read a data set or a configuration.
"""

from importlib import import_module

from baselines import create_model, get_entry, list_models, register_module

__all__ = ["create_model", "get_entry", "list_models", "load_grader"]

register_module("hybrid.model.build", "hybrid")
register_module("hybrid.model.slowfast_nln", "slowfast_nln")
register_module("hybrid.model.fusion", "late_fusion", "ensemble")


def __getattr__(name: str):
    """`load_grader`, whose room is above this one and is imported when it is asked for."""
    if name == "load_grader":
        return import_module("hybrid.training.grader").load_grader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
