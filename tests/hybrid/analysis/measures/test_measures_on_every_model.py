"""What holds for every measure on every model there is, at tiny size."""

import numpy as np
import pytest
import torch
from cheap_measures import CHEAP, CLIPS
from models_under_test import lively

from baselines.timm_net import FrameModel
from hybrid import list_models


@pytest.mark.parametrize("model", list_models())
def test_every_measure_has_an_answer_for_every_model(model):
    tested, before = lively(model), CLIPS.clip_NCTHW.clone()
    found = {name: m.measure(tested, CLIPS, 8) for name, m in CHEAP.items() if m.applies_to(tested.model)}
    assert torch.equal(CLIPS.clip_NCTHW, before)
    assert all(p.grad is None and not p.requires_grad for p in tested.model.parameters())
    for name, result in found.items():
        rows = {len(figure_N) for figure_N in result.figures.values()}
        rows |= {len(curve.y_NX) for curve in result.curves.values()}
        assert rows <= {1 if name == "beat_sweep" else 2}, name
        assert result.figures or result.overall
        for curve in result.curves.values():
            assert curve.y_NX.shape[1] == len(curve.x_X) and np.isfinite(curve.y_NX).all(), name
        for matrix in result.matrices.values():
            assert matrix.value_RC.shape == (len(matrix.rows), len(matrix.columns)), name

    again = CHEAP["receptive_field"].measure(tested, CLIPS, 8)
    for name, figure_N in again.figures.items():
        np.testing.assert_array_equal(figure_N, found["receptive_field"].figures[name])
    if isinstance(tested.model, FrameModel):
        knows_nothing_of_time(found)
    else:
        assert (found["receptive_field"].figures["distance (s)"] > 0).all()
        # Of one clip or the other: fresh weights may answer to one almost alike, which is no more than rounding.
        assert found["probing"].figures["shuffle: answer (grades)"].max() > 1e-6


def knows_nothing_of_time(found):
    np.testing.assert_array_equal(found["receptive_field"].figures["distance (s)"], 0)
    np.testing.assert_allclose(found["receptive_field"].figures["effective frames"], 1)
    np.testing.assert_allclose(found["interaction"].figures["strength, mean (grades)"], 0, atol=1e-6)
    np.testing.assert_allclose(found["probing"].figures["shuffle: answer (grades)"], 0, atol=1e-6)
    assert found["units"].overall["dynamic units"] == found["units"].overall["both units"] == 0
    assert np.isnan(found["cka"].overall["all pairs, time"])
    assert "attention_distance" not in found and "attention_entropy" not in found
