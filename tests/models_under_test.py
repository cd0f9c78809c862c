"""Models for tests of the analysis: small ones that look trained, and functions whose answers are known."""

import functools

import torch
from torch import Tensor, nn

from baselines import ClipModel
from hybrid import create_model, get_entry
from hybrid.analysis.base import ModelUnderTest
from hybrid.data.transforms import Normalisation


@functools.cache
def lively(name: str, seed: int = 0, **options) -> ModelUnderTest:
    """A tiny model none of whose branches is zero, as training leaves them: read only."""
    torch.manual_seed(seed)
    model = create_model(name, "tiny", **options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.5, 1.5)
    entry = get_entry(name)
    return ModelUnderTest(model.eval().requires_grad_(False), name, name, seed, Normalisation(entry.mean, entry.std))


def noise(batch: int = 2, frames: int = 8, side: int = 64) -> Tensor:
    return torch.randn(batch, 3, frames, side, side, generator=torch.Generator().manual_seed(1))


class WeightedSum(ModelUnderTest):
    """Its expected grade is the sum of weight_CTHW * clip: what every method must say of it is known."""

    def __init__(self, weight_CTHW: Tensor):
        as_it_is = Normalisation(mean=(0, 0, 0), std=(1, 1, 1))
        super().__init__(ClipModel(), "weighted sum", "weighted sum", 0, as_it_is)
        object.__setattr__(self, "weight_CTHW", weight_CTHW)  # the dataclass is frozen

    def expected_grade(self, clip_BCTHW: Tensor) -> Tensor:
        return (self.weight_CTHW * clip_BCTHW).sum(dim=(1, 2, 3, 4))
