"""PyTorch Lightning, without what it brings along for metrics of text and pictures that nothing here computes.

It imports torchmetrics, and that, for them, whatever is installed of transformers, torchvision and matplotlib: two
seconds and more of every process that trains. All of the project has Lightning from here, so that this comes first.
"""

from unittest.mock import patch

from lightning_utilities.core.imports import RequirementCache

UNUSED = ("transformers", "torchvision", "matplotlib")
_is_there = RequirementCache.__bool__


def _is_used(asked: RequirementCache) -> bool:
    return not (asked.requirement or "").startswith(UNUSED) and _is_there(asked)


with patch.object(RequirementCache, "__bool__", _is_used):
    import torchmetrics  # noqa: F401

import pytorch_lightning as pl  # noqa: E402

__all__ = ["pl"]
