"""What a measure says of its cost is what it takes, for the estimate of time is made of that."""

import pytest
from analysis_subjects import lively
from cheap_measures import CHEAP, CLIPS

from hybrid.analysis.measures import MEASURES


@pytest.mark.parametrize("name", CHEAP)
def test_passes_are_what_a_clip_costs(name, monkeypatch):
    subject, seen = lively("vivit"), []

    def counted(clip_BCTHW, into=None, forward=subject.model.forward_features):
        seen.extend(clip_BCTHW)
        return forward(clip_BCTHW, into)

    monkeypatch.setattr(subject.model, "forward_features", counted)
    CHEAP[name].measure(subject, CLIPS, 8)
    passes, once = CHEAP[name].passes(subject.model, 8), CHEAP[name].passes_once(subject.model, 8)
    if name == "receptive_field":  # once forward, then back from each step, of which there may be as many as frames
        assert len(seen) == len(CLIPS) and passes == 1 + 2 * 8 * 1.25
    else:
        assert len(seen) == len(CLIPS) * passes + once


def test_measures_say_what_they_are():
    assert [name for name, measure in MEASURES.items() if name != measure.name] == []
    for measure in MEASURES.values():
        assert measure.title and measure.source and type(measure).__doc__
        assert measure.passes(lively("r3d").model, 16) + measure.passes_once(lively("r3d").model, 16) > 0
