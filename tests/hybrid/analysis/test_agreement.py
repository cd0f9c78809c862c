"""Agreement is computed from the results of the measures, run by run."""

import numpy as np
import pytest
from made_up_comparisons import comparison, measure

from hybrid.analysis.agreement import SOURCES, agreement, frame_agreement
from hybrid.analysis.base import Curve, MeasureResult
from hybrid.analysis.registry import GROUPS

RISING_T = np.arange(8.0)


def over_frames(name: str, *curves_T) -> MeasureResult:
    return MeasureResult(curves={name: Curve(RISING_T, np.stack(curves_T), "frame (s)", "")})


def test_measures_that_rank_frames_alike_agree_and_others_do_not():
    comparisons = {
        "receptive_field": comparison(
            measure("receptive_field", "Field"), {"slowfast": [over_frames("frames", RISING_T, RISING_T)]}, 2
        ),
        "occlusion": comparison(
            measure("occlusion", "Occlusion"),
            {"slowfast": [over_frames("effect, freeze", RISING_T**3, -RISING_T)], "vit": []},
            2,
        ),
    }
    found = frame_agreement(comparisons)
    assert found.labels == ["slowfast"] and found.names("figures") == ["receptive field and occlusion"]
    assert found.values("slowfast", "receptive field and occlusion")["value"].tolist() == pytest.approx([1, -1])


def test_one_measure_alone_agrees_with_none():
    only = comparison(measure("receptive_field", "Field"), {"slowfast": [over_frames("frames", RISING_T)]}, 1)
    assert frame_agreement({"receptive_field": only}) is None
    assert frame_agreement({}) is None


def test_the_measures_that_are_compared_exist():
    assert set(SOURCES) <= {name for group in GROUPS for name in group.measures}


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
