"""AdamW with a recipe's rates: by depth, for new modules, and no decay of biases, norms and positions."""

from __future__ import annotations

import math

import torch
from timm.models import group_parameters
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from hybrid.config import RecipeConfig


def parameter_groups(model: nn.Module, recipe: RecipeConfig) -> list[dict]:
    """One group for each (rate factor, weight decay), with `lr` and the names in it.

    layer_decay: Clark et al., ELECTRA, 2020, appendix B; depth is what the model's `group_matcher` says, as in timm.
    """
    spared = set(model.no_weight_decay()) if hasattr(model, "no_weight_decay") else set()
    new = tuple(getattr(model, "new_module_prefixes", ()))
    layer_of, num_layers = _layers(model, recipe)
    groups: dict[tuple[float, float], dict] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        factor = recipe.layer_decay ** (num_layers - 1 - layer_of.get(name, num_layers - 1))
        if name.startswith(new) and new:
            factor *= recipe.new_module_factor
        decay = 0.0 if parameter.ndim <= 1 or name in spared else recipe.weight_decay
        group = groups.setdefault(
            (factor, decay),
            {"params": [], "names": [], "lr": recipe.learning_rate * factor, "weight_decay": decay},
        )
        group["params"].append(parameter)
        group["names"].append(name)
    return list(groups.values())


def _layers(model: nn.Module, recipe: RecipeConfig) -> tuple[dict[str, int], int]:
    """The depth of each parameter and the number of depths; one depth where the rate does not decay."""
    if recipe.layer_decay == 1.0:
        return {}, 1
    layers = group_parameters(model, model.group_matcher(coarse=False), reverse=True)
    return layers, max(layers.values()) + 1


def warmup_cosine(step: int, total_steps: int, warmup_steps: int) -> float:
    """Factor on the rate at `step`: linear to 1 over the warm-up, then half a cosine to 0."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return 0.5 * (1 + math.cos(math.pi * (step - warmup_steps) / max(1, total_steps - warmup_steps)))


def build_optimiser(
    model: nn.Module, recipe: RecipeConfig, total_steps: int
) -> tuple[torch.optim.Optimizer, LambdaLR]:
    """AdamW and its schedule, to be stepped every batch."""
    optimiser = torch.optim.AdamW(parameter_groups(model, recipe), lr=recipe.learning_rate)
    warmup_steps = round(recipe.warmup_share * total_steps)
    return optimiser, LambdaLR(optimiser, lambda step: warmup_cosine(step, total_steps, warmup_steps))
