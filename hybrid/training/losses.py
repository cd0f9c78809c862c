"""What training can minimise. Each is a mean over clips of a measure of hybrid/evaluation/metrics.py.

F and G are the cumulatives of the predicted and the voted distribution over the ordered grades. Rates are tuned for
`mse`; AdamW hardly minds the scale of a loss, but the recipe's `clip_gradient` does.

`mse`, `kl` and `rps` are proper scores: who knows only how clips of a kind are voted on in the mean does best to answer
that mean. `emd` and `emd2` are not. They pull such an answer to the middle grades, and its MSE is then the worse the
less a model knows: of all answers that are the same for every clip the one with the least `emd2` has an MSE of
5.01 x 10^-2 on 200 simulated clips (preset standard, seed 0), that with the least `emd` 4.94, the mean distribution
3.77. A model that was trained with them briefly may rank high by EMD and seem by MSE to have learned nothing. The scale
of their gradients with respect to the logits, there 44 and 17 times that of `mse`, is not the main reason: the MSE of a
perceptron on the clips' true figures, blurred, stays far above that of one trained with `mse`, with and without
`clip_gradient`.
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


def emd(logits_BK: Tensor, target_BK: Tensor) -> Tensor:
    """Earth mover's distance in grades, sum |F - G|: the first Wasserstein distance.

    Not a proper score, see above: where the votes are uncertain its best F is the median of G, grade by grade.
    """
    return cumulative_difference(logits_BK, target_BK).abs().sum(-1).mean()


def emd2(logits_BK: Tensor, target_BK: Tensor) -> Tensor:
    """Earth mover's distance in grades, squared: (sum |F - G|)^2. Not a proper score, see above.

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


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {loss.__name__: loss for loss in (mse, kl, emd, emd2, rps)}
"""(logits_BK, target_BK) -> a scalar, by the recipe's name for it"""


def get_loss(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of this name, or a UserError that lists the names there are."""
    if name not in LOSSES:
        raise UserError(f"model.recipe.loss must be one of {', '.join(LOSSES)}, not {name!r}")
    return LOSSES[name]
