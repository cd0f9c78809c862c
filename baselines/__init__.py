"""Thirteen published models behind one contract. Imports nothing of the rest of the project."""

from baselines.contract import ClipModel, Intermediates
from baselines.registry import ModelEntry, create_model, get_entry, list_models, register

__all__ = ["ClipModel", "Intermediates", "ModelEntry", "create_model", "get_entry", "list_models", "register"]
