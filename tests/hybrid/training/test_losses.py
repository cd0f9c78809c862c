import numpy as np
import pytest
import torch
from scipy import stats

from hybrid.errors import UserError
from hybrid.evaluation.metrics import METRICS
from hybrid.training.losses import LOSSES, emd, get_loss


def batch(seed=0, clips=50, grades=5):
    rng = np.random.default_rng(seed)
    votes = rng.multinomial(40, [0.4, 0.3, 0.2, 0.1, 0.0], size=clips)  # a grade that nobody gives
    logits_BK = torch.as_tensor(rng.normal(size=(clips, grades)), dtype=torch.float32)
    return logits_BK, torch.as_tensor(votes / 40, dtype=torch.float32)


def measured(name, prediction, target):
    """The loss by the measures that results are reported in."""
    if name == "emd2":
        return (METRICS["emd"].per_clip(prediction, target) ** 2).mean()
    raters = {"raters": 1e12} if name == "kl" else {}  # with so many, half a vote added to each grade is nothing
    return METRICS[name].of_all(prediction, target, **raters)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", LOSSES)
def test_each_is_the_measure_of_its_name(name, seed):
    logits_BK, target_BK = batch(seed)
    expected = measured(name, logits_BK.double().softmax(-1).numpy(), target_BK.double().numpy())
    assert float(LOSSES[name](logits_BK, target_BK)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_each_is_least_where_the_prediction_is_the_votes(name):
    logits_BK, target_BK = batch()
    target_BK = (target_BK + 0.1) / 1.5
    logits_BK.requires_grad_()
    optimiser = torch.optim.Adam([logits_BK], lr=0.05)
    for _ in range(500):
        optimiser.zero_grad()
        LOSSES[name](logits_BK, target_BK).backward()
        optimiser.step()
    assert (logits_BK.softmax(-1) - target_BK).abs().max() < 0.02


@pytest.mark.parametrize("name", LOSSES)
def test_which_are_proper_scores(name):
    """Whether of all answers that are the same for every clip the mean distribution is the best."""
    _, target_BK = batch(clips=400)
    logits_K = target_BK.mean(0).clamp_min(1e-9).log().requires_grad_()
    LOSSES[name](logits_K.expand_as(target_BK), target_BK).backward()
    assert (logits_K.grad.abs().max() < 1e-6) == (name in ("mse", "kl", "rps"))


def test_emd_is_scipys_wasserstein_distance():
    logits_BK, target_BK = batch(clips=7)
    grades = range(5)
    expected = [
        stats.wasserstein_distance(grades, grades, *pair) for pair in zip(logits_BK.softmax(-1), target_BK, strict=True)
    ]
    assert float(emd(logits_BK, target_BK)) == pytest.approx(np.mean(expected), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_each_is_taken_in_float32(name):
    logits_BK, target_BK = batch()
    assert LOSSES[name](logits_BK.bfloat16(), target_BK).dtype == torch.float32


def test_an_unknown_one_is_refused():
    with pytest.raises(UserError, match="model.recipe.loss must be one of mse, kl, emd, emd2, rps, not 'l2'"):
        get_loss("l2")
