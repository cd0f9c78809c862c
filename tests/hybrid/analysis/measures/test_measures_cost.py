"""What a measure says of its cost is what it takes, for the estimate of time is made of that."""

import pytest
from cheap_measures import CHEAP, CLIPS
from models_under_test import lively

from hybrid.analysis.registry import GROUPS


@pytest.mark.parametrize("name", CHEAP)
def test_passes_are_what_a_clip_costs(name, monkeypatch):
    tested, seen = lively("vivit"), []

    def counted(clip_BCTHW, into=None, forward=tested.model.forward_features):
        seen.extend(clip_BCTHW)
        return forward(clip_BCTHW, into)

    monkeypatch.setattr(tested.model, "forward_features", counted)
    CHEAP[name].measure(tested, CLIPS, 8)
    passes, once = CHEAP[name].passes(tested.model, 8), CHEAP[name].passes_once(tested.model, 8)
    if name == "receptive_field":  # once forward, then back from each step, of which there may be as many as frames
        assert len(seen) == len(CLIPS) and passes == 1 + 2 * 8 * 1.25
    else:
        assert len(seen) == len(CLIPS) * passes + once


def test_measures_say_what_they_are():
    for group in GROUPS:
        for measure in group.measures.values():
            assert measure.title and measure.source and type(measure).__doc__ and measure.name.isidentifier()
            model = lively("timesformer").model
            assert measure.passes(model, 16) + measure.passes_once(model, 16) >= 1
