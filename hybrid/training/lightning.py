"""PyTorch Lightning, without what it brings along for metrics of text and pictures that nothing here computes.

It imports torchmetrics, and that, for them, whatever is installed of transformers, torchvision and matplotlib, and
scipy.signal, for another package: three seconds of every process that trains. All of the project has Lightning from
here, so that this comes first.
"""

from unittest.mock import patch

from lightning_utilities.core import imports
from lightning_utilities.core.imports import RequirementCache

UNUSED = ("transformers", "torchvision", "matplotlib", "scipy")
_is_there, _is_installed = RequirementCache.__bool__, imports.package_available


def _is_used(package: str) -> bool:
    return not package.startswith(UNUSED)


with (
    patch.object(RequirementCache, "__bool__", lambda asked: _is_used(asked.requirement or "") and _is_there(asked)),
    patch.object(imports, "package_available", lambda package: _is_used(package) and _is_installed(package)),
):
    import torchmetrics  # noqa: F401

import pytorch_lightning as pl  # noqa: E402

__all__ = ["pl"]
