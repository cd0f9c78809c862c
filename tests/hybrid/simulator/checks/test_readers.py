"""The readers of gates (g) and (h), and the truth that the learner of gate (f) is told."""

import numpy as np
import pytest

from hybrid.simulator import Settings
from hybrid.simulator.checks import readers
from hybrid.simulator.checks.learnable import measures, series
from hybrid.simulator.clip import draw_cell
from hybrid.simulator.presets import get_preset


def test_part_of_the_way_by_hand():
    rng = np.random.default_rng(0)
    quality = rng.normal(size=4000)
    expected = np.stack([0.5 + 0.1 * quality, 0.5 - 0.1 * quality], 1)
    fractions = expected + rng.normal(size=expected.shape) * 0.05
    assert readers.closed(quality, fractions, expected) == pytest.approx(1, abs=0.01)
    assert readers.closed(rng.normal(size=4000), fractions, expected) == pytest.approx(0, abs=0.01)
    noisy = quality + rng.normal(size=4000)  # half of its variance
    assert readers.closed(noisy, fractions, expected) == pytest.approx(0.5, abs=0.05)


def test_the_readers_give_what_they_are_told():
    import torch

    figures = len(readers.READ) + len(readers.SCORES)
    assert readers.of_frames()(torch.zeros(2, 1, 64, 64)).shape == (2, figures)
    assert readers.of_clips()(torch.zeros(2, 16, 64, 64)).shape == (2, figures + 16 + 120)


def test_a_small_set_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "CLIPS_CHUNK", 2)
    readers.small_set((tmp_path, "clinic", 5, Settings()))
    (path,) = tmp_path.iterdir()
    made = np.load(path)
    assert made["frames"].shape == (2, 16, 64, 64) and made["frames"].dtype == np.uint8
    assert made["speed"].shape == (2, 16) and made["turned"].shape == (2, 120)
    np.testing.assert_allclose(made["fractions"].sum(1), 1)
    written = path.stat().st_mtime_ns
    readers.small_set((tmp_path, "clinic", 5, Settings()))
    assert path.stat().st_mtime_ns == written


def test_the_true_series_is_seen_from_the_first_frame():
    settings = get_preset("clinic").look.camera(Settings())
    cell = draw_cell(1, 0, settings, get_preset("clinic"))
    seen = series(cell, settings)
    assert seen.shape == (7 * 16,) and seen[0] == 1 and seen[16] == 0
    assert not set(cell.form.scores.values()) & set(measures(cell.form))
