import numpy as np
import pytest
from scipy import stats

from hybrid.analysis.agreement import agreement
from hybrid.analysis.summary import over_clips, over_seeds
from hybrid.evaluation.statistics import clustered_bootstrap


def test_agreement_is_of_ranks_clip_by_clip():
    a_NT = np.array([[1, 2, 3, 4], [1, 2, 3, 4], [1.0, 3, 2, 4], [2, 2, 2, 2]])
    b_NT = np.array([[1, 10, 100, 1000], [4, 3, 2, 1], [1, 2, 3, 4], [1, 2, 3, 4]])
    found = agreement({"receptive field": a_NT, "occlusion": b_NT, "gradients": b_NT})
    assert list(found) == [
        ("receptive field", "occlusion"),
        ("receptive field", "gradients"),
        ("occlusion", "gradients"),
    ]
    # one exchange of neighbours: 1 - 6 * 2 / (4 * 15)
    np.testing.assert_allclose(found["receptive field", "occlusion"], [1, -1, 0.8, np.nan])
    np.testing.assert_allclose(found["occlusion", "gradients"], 1)


def test_agreement_wants_the_same_frames():
    with pytest.raises(ValueError, match="same clips and frames"):
        agreement({"a": np.zeros((2, 16)), "b": np.zeros((2, 8))})


def test_a_figure_of_several_trainings_on_the_same_clips():
    rng = np.random.default_rng(0)
    clip_N = rng.normal(size=40)
    figures = [clip_N + 0.1 * seed for seed in range(3)]
    names = [f"clip{n:02}" for n in range(40)]
    found = over_clips(figures, [names] * 3)
    assert found.seed_means == pytest.approx([clip_N.mean() + 0.1 * seed for seed in range(3)])
    assert found.mean == pytest.approx(clip_N.mean() + 0.1) and found.values == 120
    assert found.seed_sd == pytest.approx(0.1)
    # three trainings on the same clips tell no more about other clips than one of them
    alone = clustered_bootstrap(clip_N + 0.1)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high))
    apart = over_clips(figures, [[f"{seed}{name}" for name in names] for seed in range(3)])
    assert apart.high - apart.low < 0.7 * (found.high - found.low)


def test_clips_without_a_figure_are_left_out():
    found = over_clips([np.array([1.0, np.nan, 3.0])], [["a", "b", "c"]])
    assert found.mean == 2 and found.values == 2 and found.low < 2 < found.high and np.isnan(found.seed_sd)
    nothing = over_clips([np.array([np.nan, np.nan])], [["a", "b"]])
    assert nothing.values == 0 and np.isnan([nothing.mean, nothing.low, nothing.high]).all()
    with pytest.raises(ValueError, match="a group for each"):
        over_clips([np.zeros(3)], [["a", "b"]])


def test_a_number_of_all_clips_together_has_students_interval_over_trainings():
    numbers = [0.2, 0.3, 0.35]
    found = over_seeds(numbers)
    expected = stats.ttest_1samp(numbers, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    assert found.mean == pytest.approx(np.mean(numbers)) and found.seed_sd == pytest.approx(np.std(numbers, ddof=1))
    assert np.isnan([over_seeds([0.2]).low, over_seeds([np.nan]).mean, over_seeds([0.2, np.nan]).seed_sd]).all()
