"""The readers of gates (g) and (h), and the truth that the learner of gate (f) is told."""

import numpy as np
import pytest

from hybrid.simulator.checks import readers
from hybrid.simulator.checks.learnable import measures, series
from hybrid.simulator.clip import draw_cell
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings


def test_part_of_the_way_by_hand():
    rng = np.random.default_rng(0)
    quality = rng.normal(size=4000)
    expected = np.stack([0.5 + 0.1 * quality, 0.5 - 0.1 * quality], 1)
    fractions = expected + rng.normal(size=expected.shape) * 0.05
    assert readers.closed(quality, fractions, expected) == pytest.approx(1, abs=0.01)
    assert readers.closed(rng.normal(size=4000), fractions, expected) == pytest.approx(0, abs=0.01)
    noisy = quality + rng.normal(size=4000)  # half of its variance
    assert readers.closed(noisy, fractions, expected) == pytest.approx(0.5, abs=0.05)


def test_the_quality_of_the_parts_that_are_told_is_the_presets():
    settings, preset = Settings(), get_preset("clinic")
    cells = [draw_cell(1, index, settings, preset) for index in range(20)]
    told = np.array([[0, c.quality.form, c.quality.motion, c.quality.event, 0, 0, 0, 0] for c in cells])
    np.testing.assert_allclose(readers.graded(told, "clinic"), [c.quality.q for c in cells])


def test_a_cell_is_looked_at_from_its_head_on_and_to_the_right():
    """A bright head and a dim tail behind it, wherever they are and wherever the cell looks."""
    import torch

    y, x = np.mgrid[:64, :64]
    pictures, poses = [], []
    for angle, head in ((0.0, (30, 30)), (1.1, (40, 22)), (-2.5, (20, 36))):
        c, s = np.cos(angle), np.sin(angle)
        along, across = c * (x - head[0]) + s * (y - head[1]), -s * (x - head[0]) + c * (y - head[1])
        pictures.append(np.exp(-(along**2 + across**2) / 8) + 0.5 * np.exp(-((along + 10) ** 2 + across**2) / 8))
        poses.append((*head, c, s))
    seen = readers.aligned(torch.tensor(np.array(pictures)).float(), torch.tensor(poses).float(), 33, 1.0, 0.0).numpy()
    for picture in seen:
        assert np.unravel_index(picture.argmax(), picture.shape) == (16, 16)
        assert picture[16, 6] == pytest.approx(0.5, abs=0.05) and picture[16, 26] < 0.05
        np.testing.assert_allclose(picture, seen[0], atol=0.05)
    behind = readers.aligned(torch.tensor(np.array(pictures)).float(), torch.tensor(poses).float(), 33, 1.0, 10.0)
    assert behind[1, 16, 26] == pytest.approx(1, abs=0.05)


def test_readers_learn_what_is_in_the_pictures_and_nothing_from_chance(monkeypatch):
    """Heads are dots, bright or dim: of form; where they are changes at the same speed in good and bad clips."""
    rng = np.random.default_rng(0)
    number, train = 160, 96
    monkeypatch.setattr(readers, "POSE_EVERY", 4)
    monkeypatch.setattr(readers, "CLIPS_EPOCHS", 8)
    monkeypatch.setattr(readers, "BATCH", 16)
    place = rng.uniform(24, 40, (number, 1, 2)) + rng.normal(size=(number, 16, 2))
    bright = rng.integers(2, size=number)
    y, x = np.mgrid[:64, :64]
    distance = (x - place[..., :1, None]) ** 2 + (y - place[..., 1:, None]) ** 2
    frames = 100 + (40 + 80 * bright)[:, None, None, None] * np.exp(-distance / 8) + rng.normal(size=distance.shape)
    figures = rng.normal(size=(number, 8)).astype(np.float32)
    figures[:, 1] = bright
    clips = {
        "frames": frames.astype(np.uint8),
        "figures": figures,
        "speed": rng.normal(size=(number, 16)).astype(np.float32),
        "pose": np.concatenate([place, np.ones_like(place) * np.sqrt(0.5)], -1).astype(np.float32),
        "beat": rng.normal(size=(number, 2)).astype(np.float32),
    }
    for told in readers.read(clips, train, 0)[:2]:
        assert told.shape == (number - train, 8)
        assert np.corrcoef(told[:, 1], bright[train:])[0, 1] > 0.8
        assert abs(np.corrcoef(told[:, 3], figures[train:, 3])[0, 1]) < 4 / np.sqrt(number - train)


def test_a_small_set_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "CLIPS_CHUNK", 2)
    readers.small_set((tmp_path, "clinic", 5, Settings()))
    (path,) = tmp_path.iterdir()
    made = np.load(path)
    assert made["frames"].shape == (2, 16, 64, 64) and made["frames"].dtype == np.uint8
    assert made["speed"].shape == (2, 16) and made["pose"].shape == (2, 16, 4)
    np.testing.assert_allclose(np.linalg.norm(made["pose"][..., 2:], axis=-1), 1, rtol=1e-5)
    for picture, (x, y, *_) in zip(made["frames"].reshape(-1, 64, 64), made["pose"].reshape(-1, 4), strict=True):
        here = picture[max(0, round(y) - 4) : round(y) + 5, max(0, round(x) - 4) : round(x) + 5]
        assert here.std() > 2 * picture.std()  # a head is there
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
