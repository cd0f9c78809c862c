import math

import numpy as np
import pytest

from hybrid.evaluation.raters import ordinal_alpha, plan_ceiling, severity

# Krippendorff (Computing Krippendorff's Alpha-Reliability, 2011), section D: 4 observers, 12 units, values 1 to 5.
OBSERVERS = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


def counts(ratings_NR, num_grades):
    return (np.asarray(ratings_NR)[:, :, None] == np.arange(num_grades)).sum(axis=1)


def published():
    rows = [[-1 if cell == "." else int(cell) - 1 for cell in row.split()] for row in OBSERVERS.split("\n") if row]
    return counts(np.array(rows).T, 5)


def test_alpha_of_the_published_example():
    found = ordinal_alpha(published())
    assert round(found.mean, 3) == 0.815
    assert found.low < found.mean < found.high


def test_alpha_is_one_without_disagreement_and_near_zero_for_votes_out_of_one_urn():
    assert ordinal_alpha([[3, 0, 0], [0, 3, 0], [0, 0, 2]]).mean == 1
    found = ordinal_alpha(np.random.default_rng(0).multinomial(9, [0.3, 0.4, 0.3], size=300))
    assert found.low < 0 < found.high or abs(found.mean) < 0.02


def test_alpha_is_not_defined_where_nothing_can_differ_and_has_no_interval_of_one_group():
    assert math.isnan(ordinal_alpha([[3, 0], [4, 0]]).mean)
    assert math.isnan(ordinal_alpha([[1, 0], [0, 1]]).mean)
    one = ordinal_alpha([[3, 0], [1, 2]], ["p", "p"])
    assert np.isfinite(one.mean) and math.isnan(one.low)


def test_the_interval_of_alpha_draws_whole_groups():
    clips_NK = np.array([[6, 2, 0], [4, 4, 0], [0, 3, 5], [0, 2, 6], [8, 0, 0], [1, 6, 1]])
    copied = ordinal_alpha(np.repeat(clips_NK, 20, axis=0), np.repeat(np.arange(6), 20))
    alone = ordinal_alpha(clips_NK)
    of_clips = ordinal_alpha(np.repeat(clips_NK, 20, axis=0))
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert of_clips.high - of_clips.low < 0.5 * (copied.high - copied.low)


def test_the_interval_of_alpha_holds_with_few_groups():
    rng = np.random.default_rng(0)

    def groups_of_clips(number):
        means = [rng.dirichlet([1.0, 2.0, 2.0, 1.0]) for _ in range(number)]
        votes_NK = [rng.multinomial(8, rng.dirichlet(6 * mean + 0.1)) for mean in means for _ in range(10)]
        return np.array(votes_NK), np.repeat(np.arange(number), 10)

    truth = ordinal_alpha(groups_of_clips(500)[0], repetitions=1).mean
    found = [ordinal_alpha(*groups_of_clips(3)) for _ in range(200)]
    assert sum(one.low <= truth <= one.high for one in found) > 160, "a bootstrap's holds in 92"


def test_severity_is_the_distance_from_the_others_on_the_same_clips():
    # Rater 1 is a grade stricter than 0 wherever both voted; 2 voted on one clip, 3 alone on another.
    ratings_NR = [[0, 1, -1, -1], [1, 2, -1, -1], [2, 3, 4, -1], [-1, -1, -1, 3]]
    table = severity(ratings_NR)
    assert table["severity"].tolist()[:3] == pytest.approx([(-1 - 1 - 1.5) / 3, (1 + 1 + 0) / 3, 1.5])
    assert math.isnan(table["severity"][3])
    assert table["clips"].tolist() == [3, 3, 1, 0]


def panel(clips, raters, seed):
    """Votes of clips whose true shares are themselves drawn."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.multinomial(raters, p) for p in rng.dirichlet([1.0, 2.0, 2.0, 1.0], clips)])


def test_as_many_more_clips_or_raters_as_planned_give_the_width():
    """In the mean over panels: the width that one panel shows is itself off by a tenth or two."""
    wanted, with_clips, with_raters = [], [], []
    for seed in range(10):
        plan = plan_ceiling(panel(100, 10, seed))
        assert plan.width == pytest.approx((plan.ceiling.high - plan.ceiling.low) / 2)
        assert (plan.clips, plan.more_clips, plan.more_raters) == (100, 300, 10)
        more_clips = plan_ceiling(panel(100 + plan.more_clips, 10, seed)).ceiling
        more_raters = plan_ceiling(panel(100, 10 + plan.more_raters, seed)).ceiling
        wanted.append(plan.width)
        with_clips.append(more_clips.high - more_clips.low)
        with_raters.append(more_raters.high - more_raters.low)
    assert np.mean(with_clips) == pytest.approx(np.mean(wanted), rel=0.15)
    assert np.mean(with_raters) < 1.05 * np.mean(wanted)


def test_nothing_more_is_needed_where_the_ceiling_is_known_well_enough_or_nothing_can_be_planned():
    plan = plan_ceiling(panel(50, 5, 0), width=1.0)
    assert (plan.more_clips, plan.more_raters) == (0, 0)
    assert plan_ceiling([[1, 0], [0, 1], [1, 1]]) is None
    assert plan_ceiling(panel(6, 5, 0), ["p"] * 6) is None
    assert plan_ceiling([[5, 0], [5, 0], [0, 4]]) is None
