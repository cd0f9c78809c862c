"""AdamW with a recipe's rates: by depth, for new modules, and no decay of biases, norms and positions."""

from __future__ import annotations

import math

import torch
from timm.models import group_parameters
from torch.optim.lr_scheduler import LambdaLR

from baselines import ClipModel
from hybrid.config import RecipeConfig


def parameter_groups(model: ClipModel, recipe: RecipeConfig) -> list[dict]:
    """One group for each (rate, weight decay), with `lr` and the names in it.

    A model that started from weights (`load_report`) has a lower rate, lower still towards the input, and a higher one
    again for what those weights did not hold: the classifier, and modules that are new.
    layer_decay: Clark et al., ELECTRA, 2020, appendix B; depth is what the model's `group_matcher` says, as in timm.
    """
    spared = model.no_weight_decay()
    report = model.load_report
    new = set() if report is None else {*report.new, *report.dropped_head}
    from_top = _layers_from_top(model) if report is not None and recipe.layer_decay < 1 else {}
    groups: dict[tuple[float, float], dict] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = recipe.learning_rate
        if report is not None:
            rate *= recipe.fine_tuning_factor * recipe.layer_decay ** from_top.get(name, 0)
            if name in new:
                rate *= recipe.new_module_factor
        decay = 0.0 if parameter.ndim <= 1 or name in spared else recipe.weight_decay
        group = groups.setdefault((rate, decay), {"params": [], "names": [], "lr": rate, "weight_decay": decay})
        group["params"].append(parameter)
        group["names"].append(name)
    return list(groups.values())


def _layers_from_top(model: ClipModel) -> dict[str, int]:
    """How many layers each parameter is below the classifier."""
    layer_of = group_parameters(model, model.group_matcher(coarse=False), reverse=True)
    top = max(layer_of.values())
    return {name: top - layer for name, layer in layer_of.items()}


def warmup_cosine(step: int, total_steps: int, warmup_steps: int) -> float:
    """Factor on the rate at `step`: linear to 1 over the warm-up, then half a cosine to 0."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return 0.5 * (1 + math.cos(math.pi * (step - warmup_steps) / max(1, total_steps - warmup_steps)))


def build_optimiser(
    groups: list[dict], recipe: RecipeConfig, total_steps: int
) -> tuple[torch.optim.Optimizer, LambdaLR]:
    """AdamW over these groups of parameters, and its schedule, to be stepped every batch."""
    optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)
    # Gradients of float16 are unscaled before they are clipped, not by the fused step behind that.
    optimiser._step_supports_amp_scaling = False
    warmup_steps = round(recipe.warmup_share * total_steps)
    return optimiser, LambdaLR(optimiser, lambda step: warmup_cosine(step, total_steps, warmup_steps))
