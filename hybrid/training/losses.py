"""What training can minimise. Each is a mean over clips of a measure of hybrid/evaluation/metrics.py.

F and G are the cumulatives of the predicted and the voted distribution over the ordered grades. Rates are tuned for
`mse`; AdamW hardly minds the scale of a loss, but the recipe's `clip_gradient` does.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from hybrid.errors import UserError


def mse(logits_BK: Tensor, target_BK: Tensor) -> Tensor:
    """Squared error of the probabilities, mean over grades: the paper's."""
    return F.mse_loss(probabilities(logits_BK), target_BK)


def kl(logits_BK: Tensor, target_BK: Tensor) -> Tensor:
    """Kullback-Leibler divergence in nats from the prediction to the votes, to which nothing is added.

    Minimising it is maximising the likelihood of the votes.
    """
    return F.kl_div(logits_BK.float().log_softmax(-1), target_BK, reduction="batchmean")


def emd2(logits_BK: Tensor, target_BK: Tensor) -> Tensor:
    """Earth mover's distance in grades, squared: (sum |F - G|)^2.

    Not the 'squared EMD' of Hou, Yu and Samaras (arXiv:1611.05916), which sums squares: that is `rps`.
    """
    return cumulative_difference(logits_BK, target_BK).abs().sum(-1).square().mean()


def rps(logits_BK: Tensor, target_BK: Tensor) -> Tensor:
    """Ranked probability score: sum (F - G)^2."""
    return cumulative_difference(logits_BK, target_BK).square().sum(-1).mean()


def probabilities(logits_BK: Tensor) -> Tensor:
    """In float32, whatever the model computes in."""
    return logits_BK.float().softmax(-1)


def cumulative_difference(logits_BK: Tensor, target_BK: Tensor) -> Tensor:
    """F - G, (B, K - 1); the last entry, always 0, is left out."""
    return (probabilities(logits_BK) - target_BK).cumsum(-1)[:, :-1]


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {loss.__name__: loss for loss in (mse, kl, emd2, rps)}
"""(logits_BK, target_BK) -> a scalar, by the recipe's name for it"""


def get_loss(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of this name, or a UserError that lists the names there are."""
    if name not in LOSSES:
        raise UserError(f"model.recipe.loss must be one of {', '.join(LOSSES)}, not {name!r}")
    return LOSSES[name]
