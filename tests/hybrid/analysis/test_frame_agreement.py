"""Agreement is computed from the answers of the measures, run by run."""

import numpy as np
import pytest
from made_up_answers import answers, measure

from hybrid.analysis.frame_agreement import SOURCES, frame_agreement
from hybrid.analysis.measure import Curve, Finding
from hybrid.analysis.measures import MEASURES
from hybrid.analysis.relevance import RELEVANCE_MEASURES

RISING_T = np.arange(8.0)


def over_frames(name: str, *curves_T) -> Finding:
    return Finding(curves={name: Curve(RISING_T, np.stack(curves_T), "frame (s)", "")})


def test_measures_that_rank_frames_alike_agree_and_others_do_not():
    gathered = {
        "receptive_field": answers(
            measure("receptive_field", "Field"), {"slowfast": [over_frames("frames", RISING_T, RISING_T)]}, 2
        ),
        "occlusion": answers(
            measure("occlusion", "Occlusion"),
            {"slowfast": [over_frames("effect, freeze", RISING_T**3, -RISING_T)], "vit": []},
            2,
        ),
    }
    found = frame_agreement(gathered)
    assert found.labels == ["slowfast"] and found.names("figures") == ["receptive field and occlusion"]
    assert found.values("slowfast", "receptive field and occlusion")["value"].tolist() == pytest.approx([1, -1])


def test_one_measure_alone_agrees_with_none():
    only = answers(measure("receptive_field", "Field"), {"slowfast": [over_frames("frames", RISING_T)]}, 1)
    assert frame_agreement({"receptive_field": only}) is None
    assert frame_agreement({}) is None


def test_the_measures_that_are_compared_exist():
    assert set(SOURCES) <= set(MEASURES | RELEVANCE_MEASURES)
