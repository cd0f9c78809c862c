"""Means and intervals against cases done by hand, and that pairing does what it is for."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hybrid.analysis.agreement import FrameAgreement
from hybrid.analysis.measures.cka import LayerSimilarity
from hybrid.analysis.measures.frame_occlusion import FrameOcclusion
from hybrid.analysis.measures.probing import TemporalProbing
from hybrid.analysis.measures.randomisation import Randomisation
from hybrid.evaluation.estimates import difference, estimate


def values(array_RN, offset=0.0):
    """A row a run and clip; two clips a group."""
    return pd.DataFrame(
        [
            {"run": f"run{r}", "clip": f"clip{n}", "group": f"group{n // 2}", "value": value + offset}
            for r, row in enumerate(array_RN)
            for n, value in enumerate(row)
        ]
    )


def test_runs_that_share_nothing_have_the_interval_of_a_t_test():
    array_RN = np.random.default_rng(0).normal(3, 1, (4, 10))
    found = estimate(values(array_RN), None)
    expected = stats.ttest_1samp(array_RN.mean(axis=1), 0).confidence_interval()
    assert (found.run_low, found.run_high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx(array_RN.mean()) and (found.runs, found.clips) == (4, 10)
    assert found.clip_low < found.mean < found.clip_high


@pytest.mark.parametrize("test_to_train", [None, 0.25])
def test_the_interval_of_what_cannot_be_negative_is_cut_at_zero(test_to_train):
    rows = values([[1.0] * 10, [4.0] * 10])
    free, cut = estimate(rows, test_to_train), estimate(rows, test_to_train, least=0)
    assert free.run_low < 0 and cut == replace(free, run_low=0)


def test_measures_whose_figures_can_be_negative_say_so():
    assert FrameOcclusion().least("deletion, blur (grades)") == 0
    probing = TemporalProbing()
    assert probing.least("reverse: answer (grades)") == 0 and probing.least("reverse: MSE") < 0
    for correlation in (LayerSimilarity(), FrameAgreement(), Randomisation(FrameOcclusion())):
        assert correlation.least("any") < 0


def test_runs_that_share_training_clips_are_less_sure():
    rows = values(np.random.default_rng(0).normal(3, 1, (5, 10)))
    alone, shared = estimate(rows, None), estimate(rows, 0.25)
    widths = [found.run_high - found.run_low for found in (alone, shared)]
    assert widths[1] / widths[0] == pytest.approx(np.sqrt((1 / 5 + 0.25) / (1 / 5)))


def test_one_run_and_one_group_have_no_interval():
    found = estimate(values([[1.0, 2.0]]), None)
    assert found.mean == 1.5 and np.isnan([found.run_low, found.run_high, found.clip_low, found.clip_high]).all()
    assert not found.differs


def test_a_difference_is_paired_by_run_and_clip():
    rng = np.random.default_rng(0)
    base_RN = rng.normal(0, 5, (3, 20)) + 10 * np.arange(3)[:, None]  # what clips and runs do is common to both models
    found = difference(values(base_RN + rng.normal(1, 0.1, (3, 20))), values(base_RN), None)
    assert found.mean == pytest.approx(1, abs=0.1) and found.differs
    assert found.run_high - found.run_low < 0.5 and found.clip_high - found.clip_low < 0.5
    assert not difference(values(base_RN), values(rng.permutation(base_RN, axis=1)), None).differs


def test_values_that_are_not_there_do_not_count():
    first, second = np.ones((2, 6)), np.zeros((2, 6))
    first[0, 0], second[1, 5] = np.nan, np.nan
    first[1, 5] = 100.0  # without its partner
    found = difference(values(first), values(second), None)
    assert found.mean == 1.0 and found.runs == 2
    nothing = difference(values(np.full((2, 6), np.nan)), values(second), None)
    assert np.isnan(nothing.mean) and not nothing.differs


def test_models_without_a_common_run_are_compared_over_clips():
    first, second = values([[2.0, 2.0, 2.1, 2.1]]), values([[1.0, 1.0, 1.0, 1.0]]).assign(run="other")
    found = difference(first, second, None)
    assert found.mean == pytest.approx(1.05) and found.runs == 0 and np.isnan(found.run_low)
    assert found.clip_low > 0 and found.differs


def test_a_single_number_a_run_has_an_interval_over_runs_alone():
    rows = pd.DataFrame({"run": ["a", "b", "c"], "clip": "all", "group": "all", "value": [1.0, 2.0, 3.0]})
    found = estimate(rows, None)
    assert found.mean == 2 and found.run_low < 1 < 3 < found.run_high and np.isnan(found.clip_low)
