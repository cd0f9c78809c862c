"""Models that have forgotten: copies of a trained one with the weights of some layers in random order."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Collection
from dataclasses import replace

import torch
from timm.models import group_parameters

from baselines import ClipModel
from hybrid.analysis.subject import Subject


def layers_from_the_top(model: ClipModel) -> list[tuple[str, ...]]:
    """Names of the parameters of each layer, the classifier's first, as layer-wise learning rates group them."""
    groups = group_parameters(model, model.group_matcher(coarse=True))
    return [tuple(groups[depth]) for depth in sorted(groups, reverse=True)]


def randomised(subject: Subject, names: Collection[str], seed: int = 0) -> Subject:
    """A copy of the subject, in whose parameters of these names every number has another's place.

    Shuffled and not drawn anew: mean and spread of each tensor stay, so that a map changes for what was learned and not
    for the size of the weights, and any parameter can be treated alike. What training left constant stays as it is, and
    so do BatchNorm's running statistics.
    """
    model = copy.deepcopy(subject.model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in names:
                generator = torch.Generator().manual_seed(zlib.crc32(f"{seed} {name}".encode()))
                order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
                parameter.copy_(parameter.flatten()[order].reshape(parameter.shape))
    return replace(subject, model=model)
