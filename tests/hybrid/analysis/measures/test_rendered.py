from dataclasses import replace

import numpy as np
import pytest
import torch
from models_under_test import lively
from toy_models import noise_clips

from hybrid import get_entry
from hybrid.analysis.measures import rendered
from hybrid.analysis.measures.rendered import as_input, cells_at, pairs_that_share, scaled, settings_for, spec_of
from hybrid.data.clip import ClipSpec
from hybrid.simulator.events import NO_EVENT

SPEC = ClipSpec(num_frames=8, frame_rate=16.0, side=64, channels=3)


def test_cells_differ_in_their_beat_alone(monkeypatch):
    filmed = []

    def film(cell, settings):
        filmed.append(cell)
        return np.zeros((8, 64, 64, 3), np.uint8), None, None, None

    monkeypatch.setattr(rendered, "film", film)
    frames = cells_at.__wrapped__((0.0, 2.0, 14.0), 2, SPEC)
    assert frames.shape == (2, 3, 8, 64, 64, 3)
    assert [cell.beat.frequency for cell in filmed] == [0, 2, 14] * 2
    for one, other in ((filmed[0], filmed[2]), (filmed[3], filmed[5])):
        assert replace(one, beat=replace(one.beat, frequency=14.0)) == other
    assert {cell.beat.family for cell in filmed} == {"plain"} and all(cell.event == NO_EVENT for cell in filmed)
    assert filmed[0].form != filmed[3].form


def test_pairs_share_one_thing():
    """Cells of one motion are in one posture; what they look like else, and which way they head, is not shared."""
    pairs = pairs_that_share("motion", 2, SPEC)
    assert pairs.shape == (2, 2, 8, 64, 64, 3)
    assert not np.array_equal(pairs[0], pairs[1]) and not np.array_equal(pairs[:, 0], pairs[:, 1])
    assert pairs_that_share("motion", 2, SPEC) is pairs, "rendered once"


def test_scaling_averages_and_grey_is_luma():
    frames_THWC = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    by_hand = frames_THWC.reshape(2, 64, 2, 64, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(scaled(frames_THWC, SPEC), by_hand, atol=0.51)
    grey = scaled(frames_THWC, ClipSpec(8, 16.0, 128, 1))
    np.testing.assert_allclose(grey[..., 0], frames_THWC @ np.array([0.299, 0.587, 0.114]), atol=0.51)


@pytest.mark.parametrize("name", ["vgg16", "slowfast"])
def test_input_is_normalised_as_the_model_was_trained(name):
    frames_NTHWC = np.random.default_rng(0).integers(0, 256, (2, 8, 64, 64, 3), dtype=np.uint8)
    clips = torch.stack(list(as_input(lively(name), frames_NTHWC)))
    entry = get_entry(name)
    expected = (frames_NTHWC / 255 - np.array(entry.mean)) / np.array(entry.std)
    np.testing.assert_allclose(clips.permute(0, 2, 3, 4, 1), expected, atol=1e-5)


def test_a_take_is_like_the_clips():
    assert spec_of(noise_clips(frames=8, side=64)) == SPEC
    assert settings_for(ClipSpec(8, 600.0, 64, 3)).exposure == pytest.approx(1 / 600)
