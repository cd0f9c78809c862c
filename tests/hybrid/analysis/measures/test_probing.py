import numpy as np
import pytest
import torch
from models_under_test import lively
from toy_models import Toy, brightness, noise_clips, under_test

from hybrid.analysis.base import InputClips
from hybrid.analysis.measures.probing import TemporalProbing, orders

PERMUTATIONS = ("shuffle", "block shuffle", "reverse", "half swap")


def probe(tested, clips=None):
    return TemporalProbing().measure(tested, clips or noise_clips()).figures


def test_a_static_model_is_unchanged_by_any_order():
    """The mean over the frames of what is seen in each."""
    figures = probe(under_test(Toy(lambda clip: 0.5 + 0.1 * torch.tanh(brightness(clip)).mean(dim=1))))
    for name in PERMUTATIONS:
        np.testing.assert_allclose(figures[f"{name}: answer (grades)"], 0, atol=1e-12)
        np.testing.assert_allclose(figures[f"{name}: MSE"], 0, atol=1e-12)
    assert (figures["freeze: answer (grades)"] > 1e-3).all()


def test_a_model_that_compares_neighbours_is_changed_by_every_order():
    def answer(clip_BCTHW):
        x_BT = brightness(clip_BCTHW)
        return 0.5 + 0.01 * (x_BT[:, 1:] * (x_BT[:, 1:] - x_BT[:, :-1])).mean(dim=1)

    figures = probe(under_test(Toy(answer)))
    assert all((figures[f"{name}: answer (grades)"] > 1e-5).all() for name in orders(16, 1))


def test_changes_are_worked_out_by_hand():
    def answer(clip_BCTHW):
        return 0.5 + 0.1 * torch.tanh(brightness(clip_BCTHW)[:, 0])

    clips = noise_clips()
    figures = probe(under_test(Toy(answer)), clips)
    before_N, after_N = (answer(x).numpy() for x in (clips.clip_NCTHW, clips.clip_NCTHW.flip(2)))
    worse_N = clips.target_NK[:, 1]
    np.testing.assert_allclose(figures["reverse: answer (grades)"], np.abs(after_N - before_N), rtol=1e-5)
    # two grades: both are off by the same, so the mean over them is the square of either
    np.testing.assert_allclose(figures["reverse: MSE"], (after_N - worse_N) ** 2 - (before_N - worse_N) ** 2, rtol=1e-4)


def test_orders_are_what_their_names_say():
    order_of = orders(16, draws=4)
    for name in PERMUTATIONS:
        assert all(sorted(order_T) == list(range(16)) for order_T in order_of[name].tolist())
        assert not any((order_T == np.arange(16)).all() for order_T in order_of[name])
    assert len(np.unique(order_of["shuffle"], axis=0)) == 4 and len(np.unique(order_of["block shuffle"], axis=0)) == 5
    assert all((np.diff(block) == 1).all() for order in order_of["block shuffle"] for block in np.split(order, 4))
    assert order_of["reverse"][0].tolist() == list(range(15, -1, -1))
    assert order_of["half swap"][0].tolist() == [*range(8, 16), *range(8)]
    assert order_of["freeze"][0].tolist() == [0] * 16
    assert order_of["half speed"][0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]
    assert order_of["double speed"][0].tolist() == [0, 2, 4, 6, 8, 10, 12, 14] * 2


def test_an_image_model_is_changed_by_another_first_frame_alone():
    tested, clips = lively("vit"), noise_clips(2, frames=8, grades=5, side=64)
    figures = probe(tested, clips)
    changed = [name for name in orders(8, 1) if (figures[f"{name}: answer (grades)"] > 1e-6).any()]
    assert changed == ["reverse", "half swap"]
    with torch.no_grad():
        first, last = (tested.expected_grade(clips.clip_NCTHW[:, :, [t] * 8]) for t in (0, 7))
    np.testing.assert_allclose(figures["reverse: answer (grades)"], (last - first).abs(), atol=1e-5)


def test_clips_without_votes_have_no_error():
    clips = noise_clips()
    unknown = InputClips(clips.clip_NCTHW, np.full((2, 2), np.nan), clips.names, clips.frame_rate)
    figures = probe(under_test(Toy(lambda clip: 0.5 + 0.1 * torch.tanh(brightness(clip)[:, 0]))), unknown)
    assert np.isnan(figures["reverse: MSE"]).all() and np.isfinite(figures["reverse: answer (grades)"]).all()


def test_it_costs_what_it_says():
    assert TemporalProbing().passes(Toy(), 16) == 1 + 4 + 5 + 5
    assert pytest.approx(TemporalProbing(draws=1).passes(Toy(), 8)) == 12
