"""PyTorch Lightning, without what it brings along for metrics of text and pictures that nothing here computes.

It imports torchmetrics, and that, for them, whatever is installed of transformers, torchvision and matplotlib, and
scipy.signal, for another package: three seconds of every process that trains. All of the project has Lightning from
here, so that this comes first.
"""

from unittest.mock import patch

from lightning_utilities.core import imports
from lightning_utilities.core.imports import RequirementCache

UNUSED = ("transformers", "torchvision", "matplotlib", "scipy")
_is_there = RequirementCache.__bool__
_is_installed = imports.package_available


def _is_used(asked: RequirementCache) -> bool:
    return not (asked.requirement or "").startswith(UNUSED) and _is_there(asked)


def _patched(package: str) -> bool:
    """Whether it is to be patched, for whoever needs what it no longer has."""
    return not package.startswith(UNUSED) and _is_installed(package)


with patch.object(RequirementCache, "__bool__", _is_used), patch.object(imports, "package_available", _patched):
    import torchmetrics  # noqa: F401

import pytorch_lightning as pl  # noqa: E402

__all__ = ["pl"]
