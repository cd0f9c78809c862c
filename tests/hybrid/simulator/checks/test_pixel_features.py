"""The gates' measures of pixels."""

import numpy as np

from hybrid.simulator.checks import pixel_features


def test_phase_correlation_finds_a_known_shift():
    rng = np.random.default_rng(0)
    field = rng.normal(size=(200, 200)) * 6
    frames = np.stack([field[20 + 2 * t : 148 + 2 * t, 30 - 3 * t : 158 - 3 * t] for t in range(5)])
    np.testing.assert_array_equal(pixel_features.shifts(frames), np.tile([-2, 3], (4, 1)))


def test_the_low_pass_takes_fine_texture_away():
    fine = np.cos(np.arange(64) * 2 * np.pi / 3)[None, None] * np.ones((1, 64, 1))
    assert np.abs(pixel_features.blur(fine, 3.0)[:, 20:40, 20:40]).max() < 1e-3
