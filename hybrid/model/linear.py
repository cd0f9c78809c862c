"""How the hybrid's own linear layers start."""

from __future__ import annotations

import torch
from torch import nn


def linear(inputs: int, outputs: int, std: float | None = None) -> nn.Linear:
    """A linear layer of normal weights with a bias of zero; by default outputs are as large as normalised inputs."""
    layer = nn.Linear(inputs, outputs)
    nn.init.trunc_normal_(layer.weight)
    with torch.no_grad():
        layer.weight.mul_(inputs**-0.5 if std is None else std)
    nn.init.zeros_(layer.bias)
    return layer
