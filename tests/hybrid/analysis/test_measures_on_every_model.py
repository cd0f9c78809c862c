"""What holds for every measure on every model there is, at tiny size."""

import numpy as np
import pytest
import torch
from toy_models import lively, noise_clips

from baselines import list_models
from baselines.frame import FrameModel
from hybrid.analysis.measures import MEASURES
from hybrid.analysis.temporal.beat_sweep import BeatSweep
from hybrid.analysis.temporal.frequency import FrequencyResponse
from hybrid.analysis.temporal.interaction import PairwiseInteraction
from hybrid.analysis.temporal.occlusion import FrameOcclusion
from hybrid.analysis.temporal.probing import TemporalProbing
from hybrid.analysis.temporal.receptive_field import ReceptiveField
from hybrid.analysis.temporal.units import StaticDynamicUnits

CHEAP = MEASURES | {
    measure.name: measure
    for measure in (
        ReceptiveField(projections=1),
        PairwiseInteraction(fills=("mean",)),
        FrameOcclusion(fills=("freeze",), random_orders=1),
        TemporalProbing(draws=1),
        FrequencyResponse(),
        BeatSweep(num_cells=1),
        StaticDynamicUnits(num_pairs=5),
    )
}
CLIPS = noise_clips(2, frames=8, grades=5, side=64)


@pytest.mark.parametrize("model", [*list_models(), "hybrid"])
def test_every_measure_has_an_answer_for_every_model(model):
    subject, before = lively(model), CLIPS.clip_NCTHW.clone()
    found = {name: m.measure(subject, CLIPS, 8) for name, m in CHEAP.items() if m.applies_to(subject.model)}
    assert torch.equal(CLIPS.clip_NCTHW, before)
    assert all(p.grad is None and not p.requires_grad for p in subject.model.parameters())
    for name, finding in found.items():
        rows = {len(figure_N) for figure_N in finding.figures.values()}
        rows |= {len(curve.y_NX) for curve in finding.curves.values()}
        assert rows <= {1 if name == "beat_sweep" else 2}, name
        assert finding.figures or finding.overall
        for curve in finding.curves.values():
            assert curve.y_NX.shape[1] == len(curve.x_X) and np.isfinite(curve.y_NX).all(), name
        for matrix in finding.matrices.values():
            assert matrix.value_RC.shape == (len(matrix.rows), len(matrix.columns)), name

    again = CHEAP["receptive_field"].measure(subject, CLIPS, 8)
    for name, figure_N in again.figures.items():
        np.testing.assert_array_equal(figure_N, found["receptive_field"].figures[name])
    if isinstance(subject.model, FrameModel):
        knows_nothing_of_time(found)
    else:
        assert (found["receptive_field"].figures["distance (s)"] > 0).all()
        assert (found["probing"].figures["shuffle: answer (grades)"] > 1e-6).all()


def knows_nothing_of_time(found):
    np.testing.assert_array_equal(found["receptive_field"].figures["distance (s)"], 0)
    np.testing.assert_allclose(found["receptive_field"].figures["effective frames"], 1)
    np.testing.assert_allclose(found["interaction"].figures["strength, mean (grades)"], 0, atol=1e-6)
    np.testing.assert_allclose(found["probing"].figures["shuffle: answer (grades)"], 0, atol=1e-6)
    assert found["units"].overall["dynamic units"] == found["units"].overall["both units"] == 0
    assert np.isnan(found["cka"].overall["all pairs, time"])
    assert "attention_distance" not in found and "attention_entropy" not in found


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
