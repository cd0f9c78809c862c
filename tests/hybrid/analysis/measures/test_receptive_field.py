import numpy as np
import pytest
import torch
from models_under_test import lively
from toy_models import Toy, noise_clips, under_test, with_features

from hybrid import create_model
from hybrid.analysis.measures.batching import Steps
from hybrid.analysis.measures.receptive_field import ReceptiveField


def field_of(model, clips=None, **settings):
    return ReceptiveField(**settings).measure(under_test(model), clips or noise_clips())


def mixed_in_time(weight_ST, frame_S, stage="last"):
    """h_s = sum_t weight[s, t] of three linear features of frame t: its G is |weight| times a constant."""
    weight_ST = torch.as_tensor(weight_ST, dtype=torch.float32)
    projection_DC = torch.randn(3, 3, generator=torch.Generator().manual_seed(0))
    return lambda clip_BCTHW: {
        stage: (torch.einsum("st,dc,bcthw->bdshw", weight_ST, projection_DC, clip_BCTHW), list(frame_S))
    }


def test_a_net_of_temporal_kernel_1_reaches_nowhere():
    conv = torch.nn.Conv3d(3, 4, (1, 3, 3), padding=(0, 1, 1))
    model = with_features(lambda clip_BCTHW: {"last": (conv(clip_BCTHW).relu(), list(range(16)))})
    found = field_of(model)
    np.testing.assert_array_equal(found.figures["distance (s)"], [0, 0])
    np.testing.assert_array_equal(found.figures["reach (s)"], [0, 0])
    np.testing.assert_allclose(found.figures["effective frames"], [1, 1])


def test_a_tubelet_is_no_distance():
    """Steps of two frames each, with their times in between."""
    conv = torch.nn.Conv3d(3, 4, (2, 4, 4), stride=(2, 4, 4))
    with torch.no_grad():
        conv.weight[:, :, 1] = conv.weight[:, :, 0]
    model = with_features(lambda clip_BCTHW: {"last": (conv(clip_BCTHW), [2 * s + 0.5 for s in range(8)])})
    found = field_of(model)
    np.testing.assert_array_equal(found.figures["distance (s)"], [0, 0])
    np.testing.assert_allclose(found.figures["effective frames"], [2, 2], rtol=1e-5)


def test_a_linear_mixture_in_time_has_the_figures_of_its_weights():
    weight_ST = np.random.default_rng(0).normal(size=(4, 16))
    frame_S = np.array([0, 5, 10, 15])
    found = field_of(with_features(mixed_in_time(weight_ST, frame_S)))
    G_ST, apart_ST = np.abs(weight_ST), np.abs(frame_S[:, None] - np.arange(16))
    share_ST = G_ST / G_ST.sum(axis=1, keepdims=True)
    frames = np.average(1 / (share_ST**2).sum(axis=1), weights=G_ST.sum(axis=1))
    near = [G_ST[apart_ST <= lag].sum() / G_ST.sum() for lag in range(16)]
    assert found.figures["distance (s)"] == pytest.approx((G_ST * apart_ST).sum() / G_ST.sum() / 16, rel=1e-5)
    assert found.figures["effective frames"] == pytest.approx(frames, rel=1e-5)
    assert found.figures["reach (s)"] == pytest.approx(np.argmax(np.array(near) >= 0.95) / 16)
    np.testing.assert_allclose(found.matrices["field"].value_RC, G_ST / G_ST.sum(), rtol=1e-4)
    np.testing.assert_allclose(found.curves["frames"].y_NX[0], G_ST.sum(axis=0) / G_ST.sum(), rtol=1e-4)


def test_influence_is_the_norm_of_the_jacobian():
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(5, 3, generator=generator)
    mix = torch.randn(8, 8, generator=generator)

    def h(clip_CTHW):
        return torch.tanh(torch.einsum("st,dc,cthw->ds", mix, first, clip_CTHW) / 10)

    clip_CTHW = torch.randn(3, 8, 2, 2, generator=generator)
    jacobian = torch.autograd.functional.jacobian(h, clip_CTHW)
    expected_ST = jacobian.square().sum(dim=(0, 2, 4, 5)).sqrt().numpy()
    batch = clip_CTHW[None].requires_grad_()
    steps = Steps(h(batch[0])[None], torch.arange(8.0))
    estimate_ST = ReceptiveField(projections=100).influence(steps, batch)[0]
    np.testing.assert_allclose(estimate_ST, expected_ST, rtol=0.2)

    one = Steps(steps.h_BDS[:, :1], torch.arange(8.0))  # of one feature nothing is left to chance
    np.testing.assert_allclose(
        ReceptiveField(projections=1).influence(one, batch)[0],
        jacobian[0].square().sum(dim=(1, 3, 4)).sqrt().numpy(),
        rtol=1e-4,
    )


def test_what_reaches_through_slow_alone_is_counted():
    """Fast sees its own frame; of Slow's influence a quarter comes from its own frame, the rest from 4 frames away."""
    slow_ST, frame_S = np.zeros((4, 16)), np.array([0, 4, 8, 12])
    slow_ST[range(4), frame_S] = 1
    slow_ST[range(4), (frame_S + 4) % 16] = 3
    slow_ST[3] = 0
    slow, fast = mixed_in_time(slow_ST, frame_S, "slow.res5"), mixed_in_time(np.eye(16), range(16), "fast.res5")
    found = field_of(with_features(lambda clip: slow(clip) | fast(clip)))
    assert found.figures["slow beyond fast"] == pytest.approx(0.75, rel=1e-4)
    assert found.figures["slow distance (s)"] == pytest.approx(3 / 16, rel=1e-4)
    assert found.figures["fast distance (s)"] == pytest.approx(0, abs=1e-9)
    # each pathway's steps count as the head averages them: Slow 12 / 4, Fast 16 / 16
    assert found.figures["distance (s)"] == pytest.approx(3 / 16 * 3 / 4, rel=1e-4)


def test_fast_alone_cannot_see_further_than_its_kernels():
    """In the tiny SlowFast Fast's kernels are 5 and four times 3 frames: 6 to either side."""
    found = ReceptiveField(projections=1).measure(lively("slowfast"), noise_clips(side=64))
    apart_ST = np.abs(np.arange(16)[:, None] - np.arange(16))
    fast_ST = found.matrices["fast"].value_RC
    assert (fast_ST[apart_ST > 6] == 0).all() and (fast_ST[apart_ST == 6] > 0).all()
    assert (found.matrices["slow"].value_RC[0, 7:] > 0).any()


def test_an_untrained_timesformer_has_next_to_no_range():
    """Its temporal attention adds nothing yet; the class token alone carries something from frame to frame."""
    found = field_of(create_model("timesformer", "tiny"), noise_clips(side=64), projections=1)
    assert (found.figures["distance (s)"] < 0.01 * 5.3 / 16).all()


def test_batches_change_nothing():
    clips = noise_clips(3, frames=8, side=64)
    one, three = (ReceptiveField().measure(lively("r3d"), clips, batch_size) for batch_size in (1, 3))
    for name, figure_N in one.figures.items():
        np.testing.assert_allclose(figure_N, three.figures[name], rtol=1e-4)


def test_toys_answer_what_they_are_told():
    clips = noise_clips()
    grade_N = under_test(Toy(lambda clip: torch.tensor([0.2, 0.7]))).expected_grade(clips.clip_NCTHW)
    np.testing.assert_allclose(grade_N, [1.2, 1.7])
