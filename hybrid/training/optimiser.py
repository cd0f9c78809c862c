"""What learns, and how fast: a recipe's optimiser with its rates by depth and for new modules, and its schedule; and
what of pretrained weights stays as it is."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from baselines import ClipModel
from hybrid.config import ModelConfig, RecipeConfig
from hybrid.errors import UserError

MOMENTUM = 0.9
"""of SGD"""


def parameter_groups(model: ClipModel, recipe: RecipeConfig) -> list[dict]:
    """One group for each (rate, weight decay), with `lr` and the names in it.

    A model that started from weights (`load_report`) has a lower rate, lower still towards the input, and a higher one
    again for what those weights did not hold: the classifier, and modules that are new.
    layer_decay: Clark et al., ELECTRA, 2020, appendix B; depth is what the model's `group_matcher` says, as in timm.
    Under AdamW biases, norms and positions do not decay; plain SGD lets everything.
    """
    spared, plain = model.no_weight_decay(), recipe.optimiser == "sgd"
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
        decays = plain or parameter.ndim > 1 and name not in spared
        decay = recipe.weight_decay if decays else 0.0
        group = groups.setdefault((rate, decay), {"params": [], "names": [], "lr": rate, "weight_decay": decay})
        group["params"].append(parameter)
        group["names"].append(name)
    return list(groups.values())


def _layers_from_top(model: ClipModel) -> dict[str, int]:
    """How many layers each parameter is below the classifier."""
    from timm.models import group_parameters  # here, since timm takes a second to import and few recipes need it

    layer_of = group_parameters(model, model.group_matcher(coarse=False), reverse=True)
    top = max(layer_of.values())
    return {name: top - layer for name, layer in layer_of.items()}


def rate_factor(step: int, total_steps: int, warmup_steps: int, schedule: str = "cosine") -> float:
    """Factor on the rate at `step`: linear to 1 over the warm-up, then half a cosine to 0, or constant."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warmup_steps) / max(1, total_steps - warmup_steps)))


def build_optimiser(
    groups: list[dict], recipe: RecipeConfig, total_steps: int
) -> tuple[torch.optim.Optimizer, LambdaLR]:
    """AdamW, or SGD with momentum, over these groups of parameters, and its schedule, to be stepped every batch."""
    if recipe.optimiser == "sgd":
        optimiser = torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=MOMENTUM)
    else:
        optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)
        # Gradients of float16 are unscaled before they are clipped, not by the fused step behind that.
        optimiser._step_supports_amp_scaling = False
    # Read once: a node of OmegaConf takes longer to read than a rate to work out.
    warmup_steps, schedule = round(recipe.warmup_share * total_steps), recipe.schedule
    return optimiser, LambdaLR(optimiser, lambda step: rate_factor(step, total_steps, warmup_steps, schedule))


FROZEN = ("none", "batch_norm", "backbone")
"""none         everything learns
batch_norm   the means and variances of batch normalisation are kept, where batches are too small to estimate them;
             its scales and shifts learn
backbone     all of the published network is kept, statistics too; modules added to it and the classifier learn
"""


def check_frozen(config: ModelConfig) -> None:
    """Refuse a name that is none of FROZEN, and keeping what fresh weights hold: nothing."""
    frozen = config.recipe.frozen
    if frozen not in FROZEN:
        raise UserError(f"model.recipe.frozen must be one of {', '.join(FROZEN)}, not {frozen!r}")
    if frozen != "none" and config.pretrained == "none":
        raise UserError(
            f"model.recipe.frozen={frozen} keeps what pretrained weights hold, but {config.name!r} starts from fresh "
            "ones: give model.pretrained=official or a path, or model.recipe.frozen=none"
        )


CLASSIFIERS = ("fresh", "fitted")


def check_classifier(config: ModelConfig) -> None:
    """Refuse a name that is none of CLASSIFIERS, and fitting one to features that know nothing."""
    start = config.recipe.classifier
    if start not in CLASSIFIERS:
        raise UserError(f"model.recipe.classifier must be fresh or fitted, not {start!r}")
    if start != "fresh" and config.pretrained == "none":
        raise UserError(
            f"model.recipe.classifier=fitted starts from what pretrained weights tell of clips, but {config.name!r} "
            "starts from fresh ones: give model.pretrained=official or a path, or model.recipe.classifier=fresh"
        )


def freeze(model: ClipModel, frozen: str) -> None:
    """Take the parameters that `frozen` keeps out of training."""
    if frozen == "backbone":
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not of_backbone(model, name))


def freeze_batchnorm(model: ClipModel, frozen: str) -> None:
    """Leave the batch normalisation that `frozen` keeps in eval; to be called when the model goes into training."""
    if frozen != "none":
        for name, module in model.named_modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and of_backbone(model, name):
                module.eval()


def of_backbone(model: ClipModel, name: str) -> bool:
    """Whether a parameter or module is the published network's, and neither added to it nor the classifier."""
    return not f"{name}.".startswith((*model.new_module_prefixes, f"{model.classifier}."))
