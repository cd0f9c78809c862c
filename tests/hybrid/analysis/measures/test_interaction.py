import numpy as np
import pytest
import torch
from models_under_test import lively
from toy_models import Toy, brightness, noise_clips, under_test

from hybrid.analysis.measures.interaction import PairwiseInteraction
from hybrid.analysis.perturbations import FILLS, stand_ins, without


def planted(lag):
    """The mean of x_t x_(t + lag): only pairs that are `lag` apart say more together than alone."""
    return Toy(lambda clip: 0.5 + 0.01 * (brightness(clip)[:, lag:] * brightness(clip)[:, :-lag]).mean(dim=1))


@pytest.mark.parametrize("lag", [1, 4, 11])
def test_a_planted_lag_is_found_and_nothing_else(lag):
    found = PairwiseInteraction().measure(under_test(planted(lag)), noise_clips())
    for fill in FILLS:
        curve = found.curves[fill]
        np.testing.assert_allclose(curve.x_X, np.arange(1, 16) / 16)
        assert (curve.y_NX[:, lag - 1] > 1e-5).all()
        np.testing.assert_allclose(np.delete(curve.y_NX, lag - 1, axis=1), 0, atol=1e-12)
        np.testing.assert_allclose(found.figures[f"mean lag, {fill} (s)"], lag / 16)
        np.testing.assert_allclose(found.figures[f"long range, {fill}"], lag >= 8, atol=1e-9)


@pytest.mark.parametrize("fill", FILLS)
def test_the_interaction_is_what_the_definition_says(fill):
    clips = noise_clips(1)
    found = PairwiseInteraction(fills=(fill,)).measure(under_test(planted(5)), clips)
    x_T, instead_T = (brightness(clip[None])[0] for clip in (clips.clip_NCTHW[0], stand_ins(clips.clip_NCTHW[0], fill)))
    expected_TT = np.zeros((16, 16))
    for t in range(11):  # of a product x_t x_u: (x_t - s_t) (x_u - s_u)
        change = 0.01 / 11 * (x_T[t] - instead_T[t]) * (x_T[t + 5] - instead_T[t + 5])
        expected_TT[t, t + 5] = expected_TT[t + 5, t] = abs(change)
    np.testing.assert_allclose(found.matrices[fill].value_RC, expected_TT, atol=1e-9)
    pairs = 120
    assert found.figures[f"strength, {fill} (grades)"] == pytest.approx(expected_TT.sum() / 2 / pairs, rel=1e-4)


def test_frames_that_only_add_up_do_not_interact():
    weight_T = torch.linspace(-1, 1, 16, dtype=torch.float64)
    model = Toy(lambda clip: 0.5 + 0.01 * (torch.sin(brightness(clip)) * weight_T).sum(dim=1))
    found = PairwiseInteraction().measure(under_test(model), noise_clips())
    for fill in FILLS:
        np.testing.assert_allclose(found.figures[f"strength, {fill} (grades)"], 0, atol=1e-12)
        assert np.isnan(found.figures[f"mean lag, {fill} (s)"]).all()


def test_a_model_of_one_frame_has_no_interactions():
    found = PairwiseInteraction().measure(lively("vit"), noise_clips(1, frames=8, side=64))
    for fill in FILLS:
        assert found.figures[f"strength, {fill} (grades)"] == pytest.approx(0, abs=1e-6)
        assert np.isnan(found.figures[f"mean lag, {fill} (s)"]).all()


def test_it_costs_what_it_says():
    asked = []

    def answer(clip_BCTHW):
        asked.extend(clip_BCTHW)
        return clip_BCTHW.new_full((len(clip_BCTHW),), 0.5)

    model = Toy(answer)
    PairwiseInteraction().measure(under_test(model), noise_clips(1))
    assert PairwiseInteraction().passes(model, 16) == len(asked) == 2 * 137


def test_fills():
    clip_CTHW = torch.arange(5.0).reshape(1, 5, 1, 1)
    removed_T = torch.tensor([True, False, True, True, False])
    assert without(clip_CTHW, removed_T, "freeze").flatten().tolist() == [1, 1, 1, 4, 4]
    assert without(clip_CTHW, removed_T, "mean").flatten().tolist() == [2, 1, 2, 2, 4]
    assert stand_ins(clip_CTHW, "freeze").flatten().tolist() == [1, 0, 1, 2, 3]
    assert stand_ins(clip_CTHW, "mean").flatten().tolist() == [2] * 5
    with pytest.raises(ValueError, match="fill must be one of"):
        without(clip_CTHW, removed_T, "black")
