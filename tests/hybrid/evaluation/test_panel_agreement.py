from itertools import permutations

import numpy as np
import pytest

from hybrid.evaluation.metrics import METRICS
from hybrid.evaluation.panel import MEASURES, agreement_of_raters, agreement_of_votes, noise_ceiling

FOUR_RATERS = [[0, 0, 0, 1], [0, 0, 1, 1]]  # of two clips: A A A B and A A B B
EVERY_SPLIT = list(permutations(range(4)))


def test_every_split_of_four_raters_by_hand():
    panel = agreement_of_raters(FOUR_RATERS, 2, EVERY_SPLIT)
    # First clip: whoever is with B, the halves are AA and AB; AA's top grade is one of AB's, half of AB's are AA's.
    # Second clip: AA and BB in one split of three, AB and AB in the others.
    assert panel.measures["top"] == pytest.approx((0.75 + 2 / 3) / 2)
    assert panel.measures["mse"] == pytest.approx((0.25 + 1 / 3) / 2)
    assert panel.measures["mae"] == pytest.approx((0.5 + 1 / 3) / 2)
    # A quarter of the halves' distance: (1 - 10/16) / (2 x 3) and (1 - 8/16) / (2 x 3).
    assert panel.ceiling == pytest.approx((1 / 16 + 1 / 12) / 2)
    assert panel.ceiling == pytest.approx(noise_ceiling([[0.75, 0.25], [0.5, 0.5]], 4).mean())
    assert (panel.halves, panel.clips, panel.splits) == ("raters", 2, 24)


def test_of_an_odd_panel_the_rater_in_the_middle_is_left_out():
    # A | B | A: the halves agree; B | A | A: they do not
    assert agreement_of_raters([[0, 1, 0]], 2, [[0, 1, 2]]).measures["top"] == 1
    assert agreement_of_raters([[0, 1, 0]], 2, [[1, 0, 2]]).measures["top"] == 0
    every = agreement_of_raters([[0, 1, 0]], 2, list(permutations(range(3))))
    assert every.ceiling == pytest.approx(noise_ceiling([[2 / 3, 1 / 3]], 3)[0])


def test_raters_who_did_not_see_a_clip_are_not_counted():
    ratings = [[0, -1, 0, 1], [0, 0, -1, -1]]
    panel = agreement_of_raters(ratings, 2, [[0, 1, 2, 3]])
    assert panel.clips == 1, "nobody of the second half has seen the second clip"
    # A against A, B: (0.5^2 + 0.5^2) / 2 by 1/1 + 1/2, and by three votes
    assert panel.ceiling == pytest.approx(0.25 / 1.5 / 3)


def test_single_votes_make_no_halves():
    assert agreement_of_raters([[0, -1], [-1, 1]], 2) is None
    assert agreement_of_votes([[1, 0], [0, 1]]) is None
    assert agreement_of_votes([[1, 0], [2, 1]]).clips == 1


def test_halves_of_votes_tell_the_same_as_halves_of_raters():
    rng = np.random.default_rng(0)
    ratings_NR = rng.choice(5, p=[0.3, 0.3, 0.2, 0.15, 0.05], size=(200, 40))
    votes_NK = (ratings_NR[:, :, None] == np.arange(5)).sum(1)
    raters, votes = agreement_of_raters(ratings_NR, 5), agreement_of_votes(votes_NK)
    for name in MEASURES:
        assert votes.measures[name] == pytest.approx(raters.measures[name], rel=0.05, abs=0.02), name
    assert raters.ceiling == pytest.approx(noise_ceiling(votes_NK / 40, 40).mean(), rel=0.02)
    assert votes.ceiling == pytest.approx(noise_ceiling(votes_NK / 40, 40).mean(), rel=0.02)


def test_a_panel_of_one_mind_agrees():
    panel = agreement_of_votes([[6, 0, 0], [0, 6, 0], [0, 0, 5]])
    assert panel.ceiling == 0
    for name in MEASURES:
        assert panel.measures[name] == pytest.approx({"lower": 0, "higher": 1}[METRICS[name].better]), name
