import numpy as np
import torch
from models_under_test import lively
from toy_models import Toy, brightness, noise_clips, under_test

from hybrid.analysis.base import InputClips
from hybrid.analysis.measures.frequency import FrequencyResponse, motion


def filtered(weight_T):
    """0.5 + 0.01 sum weight_t x_t, x_t the brightness of frame t."""
    weight_T = torch.as_tensor(weight_T, dtype=torch.float64)
    return under_test(Toy(lambda clip: 0.5 + 0.01 * brightness(clip) @ weight_T))


def test_a_mean_over_time_passes_the_lowest_frequency_alone():
    found = FrequencyResponse().measure(filtered(np.full(16, 1 / 16)), noise_clips())
    H_NF = found.curves["flicker"].y_NX
    assert (H_NF[:, 0] > 1e-3).all()
    np.testing.assert_allclose(H_NF[:, 1:], 0, atol=1e-8)
    np.testing.assert_allclose(found.figures["centroid, flicker (Hz)"], 0, atol=1e-4)


def test_the_response_is_that_of_the_model_linearised_at_the_clip():
    """What each frame adds, saturates: the filter's weights are the slopes of that, clip by clip."""
    clips = noise_clips()
    model = Toy(lambda clip: 0.5 + 0.1 * torch.tanh(brightness(clip)).mean(dim=1))
    H_NF = FrequencyResponse().measure(under_test(model), clips).curves["flicker"].y_NX
    slope_NT = 0.1 / 16 / torch.cosh(brightness(clips.clip_NCTHW)).numpy() ** 2
    expected_NF = clips.clip_NCTHW.std(dim=(1, 2, 3, 4)).numpy()[:, None] * np.abs(np.fft.rfft(slope_NT)) / np.sqrt(2)
    np.testing.assert_allclose(H_NF, expected_NF, atol=0.002 * H_NF.max())


def test_normalisation_does_not_count():
    """A model that undoes a scale answers as one that was not given it."""
    weight_T, clips = np.random.default_rng(0).normal(size=16), noise_clips()
    scaled = InputClips(10 * clips.clip_NCTHW, clips.target_NK, clips.names, clips.frame_rate)
    one, other = (FrequencyResponse().measure(filtered(w), c) for w, c in ((weight_T, clips), (weight_T / 10, scaled)))
    np.testing.assert_allclose(one.curves["motion"].y_NX, other.curves["motion"].y_NX, rtol=1e-3, atol=1e-6)


def test_a_linear_filter_has_its_transfer_function():
    weight_T = np.random.default_rng(0).normal(size=16)
    clips = noise_clips()
    found = FrequencyResponse().measure(filtered(weight_T), clips)
    curve = found.curves["flicker"]
    np.testing.assert_allclose(curve.x_X, np.arange(9))
    for H_F, clip_CTHW in zip(curve.y_NX, clips.clip_NCTHW, strict=True):
        expected_F = 0.01 * clip_CTHW.std().item() * np.abs(np.fft.rfft(weight_T)) / np.sqrt(2)
        np.testing.assert_allclose(H_F, expected_F, rtol=1e-4)
    np.testing.assert_allclose(found.figures["gain, flicker (grades)"], curve.y_NX.mean(axis=1))


def test_a_difference_of_neighbours_is_high_pass():
    weight_T = np.zeros(16)
    weight_T[7:9] = -1, 1
    centroid_N = FrequencyResponse().measure(filtered(weight_T), noise_clips()).figures["centroid, flicker (Hz)"]
    assert (centroid_N > 5).all()


def test_one_frame_tells_no_frequencies():
    found = FrequencyResponse().measure(filtered(np.eye(16)[0]), noise_clips())
    for name in ("motion", "flicker"):
        np.testing.assert_allclose(found.figures[f"centroid, {name} (Hz)"], 4, rtol=1e-5)
    H_NF = FrequencyResponse().measure(lively("vgg16"), noise_clips(1, grades=5, side=64)).curves["flicker"].y_NX
    np.testing.assert_allclose(H_NF, np.broadcast_to(H_NF[:, :1], H_NF.shape), rtol=0.02)


def test_motion_is_the_picture_that_moves():
    generator = torch.Generator().manual_seed(0)
    still_CHW, picture_CHW = torch.randn(2, 3, 8, 8, generator=generator)
    wave_T = torch.cos(torch.arange(16.0))
    clip_CTHW = still_CHW[:, None] + 0.3 * wave_T[:, None, None] * picture_CHW[:, None]
    pattern_CHW = motion(clip_CTHW)
    assert torch.allclose(pattern_CHW.square().mean(), torch.tensor(1.0), rtol=1e-5)
    expected_CHW = picture_CHW / picture_CHW.square().mean().sqrt()
    assert min((pattern_CHW - sign * expected_CHW).abs().max() for sign in (-1, 1)) < 1e-4


def test_a_clip_that_stands_still_has_no_motion_to_respond_to():
    clips = noise_clips(1)
    still = InputClips(clips.clip_NCTHW[:, :, :1].expand(-1, -1, 16, -1, -1), clips.target_NK, clips.names, 16.0)
    found = FrequencyResponse().measure(filtered(np.ones(16)), still)
    assert np.isnan(found.figures["centroid, motion (Hz)"]).all()
    np.testing.assert_allclose(found.figures["gain, motion (grades)"], 0, atol=1e-12)
