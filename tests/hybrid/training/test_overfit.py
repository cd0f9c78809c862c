import numpy as np

from hybrid.config import RecipeConfig
from hybrid.training.overfit import LIMIT, LOOK_EVERY, overfit

RECIPE = RecipeConfig(learning_rate=1e-3, weight_decay=0.05)


def clips_and_votes():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (3, 8, 64, 64, 3), dtype=np.uint8), rng.dirichlet(np.ones(5), 3).astype(np.float32)


def test_a_model_learns_three_clips_by_heart_and_stops_there():
    seen = []
    step, error = overfit("resnet50", *clips_and_votes(), RECIPE, 300, watch=lambda *at: seen.append(at))
    assert error < LIMIT and step < 300
    assert seen[-1] == (step, error) and all(error >= LIMIT for _, error in seen[:-1])


def test_one_that_does_not_get_there_says_how_far_it_came():
    step, error = overfit("resnet50", *clips_and_votes(), RecipeConfig(learning_rate=1e-9, weight_decay=0.0), 3)
    assert step == 3 < LOOK_EVERY and error > LIMIT
