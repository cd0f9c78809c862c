"""What of the weights a model starts from stays as it is: nothing, batch statistics, or the whole published network.

none         everything learns
batch_norm   the means and variances of batch normalisation are kept, where batches are too small to estimate them;
             its scales and shifts learn
backbone     all of the published network is kept, statistics too; modules added to it and the classifier learn
"""

from __future__ import annotations

from torch import nn

from baselines import ClipModel
from hybrid.config import ModelConfig
from hybrid.errors import UserError

FROZEN = ("none", "batch_norm", "backbone")


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


def freeze(model: ClipModel, frozen: str) -> None:
    """Take the parameters that `frozen` keeps out of training."""
    if frozen == "backbone":
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not of_backbone(model, name))


def keep_statistics(model: ClipModel, frozen: str) -> None:
    """Leave the batch normalisation that `frozen` keeps in eval; to be called when the model goes into training."""
    if frozen != "none":
        for name, module in model.named_modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and of_backbone(model, name):
                module.eval()


def of_backbone(model: ClipModel, name: str) -> bool:
    """Whether a parameter or module is the published network's, and neither added to it nor the classifier."""
    return not f"{name}.".startswith((*model.new_module_prefixes, f"{model.classifier}."))
