import itertools
import sys

import numpy as np
import pytest
import torch

from hybrid import create_model, list_models
from hybrid.config import AugmentConfig
from hybrid.data import one_pass
from hybrid.data.loader import InMemoryClips, as_input, seen_by_table
from hybrid.data.one_pass import seen_in_one_pass
from hybrid.data.transforms import AugmentParams, Normalisation, apply, draw_view
from hybrid.errors import UserError

CPU = torch.device("cpu")
SIDE = 12
FRAMES_NTHWC = np.random.default_rng(0).integers(0, 256, (40, 4, SIDE, SIDE, 3), dtype=np.uint8)
FRAMES_NTHWC[:, :, :4] //= 8  # not the same everywhere: a shift changes mean and contrast
VIEWS = [
    AugmentParams(mirrored, turns, shift, gain=1.1, offset=-0.05)
    for mirrored, turns, shift in itertools.product(
        (False, True), range(4), ((0, 0), (3, 0), (-2, 1), (0, -3), (SIDE - 1, 2))
    )
]
NORMALISATION = {way: Normalisation((0.4, 0.5, 0.6), (0.2, 0.25, 0.3), way) for way in ("published", "clip")}


def plain(frames_THWC: np.ndarray, view: AugmentParams, normalisation: Normalisation) -> np.ndarray:
    """(C, T, H, W) in float64, each step of the definition by itself."""
    clip_CTHW = frames_THWC.transpose(3, 0, 1, 2).astype(np.float64)
    clip_CTHW = clip_CTHW[..., ::-1] if view.mirrored else clip_CTHW
    clip_CTHW = np.rot90(clip_CTHW, view.quarter_turns, (-2, -1))
    for axis, by in zip((-2, -1), view.shift, strict=True):
        rows = np.clip(np.arange(clip_CTHW.shape[axis]) - by, 0, clip_CTHW.shape[axis] - 1)
        clip_CTHW = clip_CTHW.take(rows, axis)
    clip_CTHW = clip_CTHW / 255
    if normalisation.way == "clip":
        clip_CTHW = clip_CTHW - clip_CTHW.mean((1, 2, 3), keepdims=True)
        return clip_CTHW / max(1 / 255, np.sqrt(np.square(clip_CTHW).mean()))
    mean, std = (np.array(values).reshape(3, 1, 1, 1) for values in (normalisation.mean, normalisation.std))
    return (clip_CTHW * view.gain + view.offset - mean) / std


@pytest.mark.parametrize("way", NORMALISATION)
def test_every_view_is_what_its_definition_says(way):
    expected = np.stack([plain(*seen, NORMALISATION[way]) for seen in zip(FRAMES_NTHWC, VIEWS, strict=True)])
    resident = InMemoryClips(FRAMES_NTHWC, NORMALISATION[way])
    for _ in range(2):  # what the clips' statistics are is remembered
        batch = resident.batch(torch.arange(len(VIEWS)), CPU, VIEWS)
        np.testing.assert_allclose(batch.numpy(), expected, rtol=0, atol=2e-6)
    assert torch.equal(as_input(torch.from_numpy(FRAMES_NTHWC), NORMALISATION[way], VIEWS), batch)
    assert batch.is_contiguous(memory_format=torch.channels_last_3d)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pixels_are_moved_as_the_definition_of_a_view_moves_them(channels):
    """By both ways, exactly: the colours of a pixel are moved as one word, of which a byte is a neighbour's."""
    frames_NTHWC = np.ascontiguousarray(FRAMES_NTHWC[..., [0, 1, 2, 0][:channels]])
    frames_NTHWC.flags.writeable = False
    shown_NTHWC = np.empty_like(frames_NTHWC)
    for seen in zip(frames_NTHWC, VIEWS, shown_NTHWC, strict=True):
        apply(*seen)
    lines_B2C = torch.tensor([1.0, 0.0])[:, None].expand(len(VIEWS), 2, channels)
    numbers = range(len(VIEWS))
    np.testing.assert_array_equal(seen_in_one_pass(frames_NTHWC, numbers, None, VIEWS, lines_B2C), shown_NTHWC)
    np.testing.assert_array_equal(seen_by_table(torch.tensor(frames_NTHWC), VIEWS, lines_B2C), shown_NTHWC)


@pytest.mark.parametrize("way", NORMALISATION)
def test_a_clip_is_the_same_whatever_was_asked_before(way):
    resident = InMemoryClips(FRAMES_NTHWC, NORMALISATION[way])
    first = resident.batch(torch.tensor([3]), CPU)
    shifted = resident.batch(torch.tensor([3, 7]), CPU, VIEWS[3:5])
    assert torch.equal(resident.batch(torch.tensor([5, 3]), CPU)[1:], first)
    assert torch.equal(resident.batch(torch.tensor([3, 7]), CPU, VIEWS[3:5]), shifted)


def test_clips_first_seen_in_inference_can_be_trained_on():
    resident = InMemoryClips(FRAMES_NTHWC, NORMALISATION["clip"])
    with torch.inference_mode():
        still = resident.batch(torch.tensor([0, 1]), CPU)
    assert torch.equal(resident.batch(torch.tensor([2, 1]), CPU)[1], still[1])
    resident.batch(torch.tensor([0, 1]), CPU, VIEWS[3:5])


@pytest.mark.parametrize("way", NORMALISATION)
def test_frames_that_are_not_used_are_left_out_and_counted_in_the_statistics(way):
    clips_B, views = torch.arange(len(VIEWS)), VIEWS
    whole = InMemoryClips(FRAMES_NTHWC, NORMALISATION[way]).batch(clips_B, CPU, views)
    for used in (range(1), range(4), range(1, 4, 2)):
        part = InMemoryClips(FRAMES_NTHWC, NORMALISATION[way], used).batch(clips_B, CPU, views)
        assert torch.equal(part, whole[:, :, list(used)])
        assert torch.equal(as_input(torch.from_numpy(FRAMES_NTHWC), NORMALISATION[way], views, used), part)


@pytest.mark.parametrize("name", list_models(controls=True))
def test_a_model_answers_the_same_from_the_frames_it_uses(name):
    torch.manual_seed(0)
    model = create_model(name, "tiny").eval()
    used = model.used_frames(16)
    clip_BCTHW = torch.randn(2, 3, 16, 64, 64)
    changed = clip_BCTHW.clone()
    changed[:, :, list(used)] += 1
    with torch.inference_mode():
        for parameter in model.parameters():
            parameter += 0.02 * torch.randn_like(parameter)  # classifiers that start at zero see nothing
        answer = model(clip_BCTHW)
        assert torch.equal(model(clip_BCTHW[:, :, list(used)]), answer)
        assert not torch.equal(model(changed), answer)


def test_a_whole_epoch_of_drawn_views_is_as_defined():
    frames_NTHWC = np.random.default_rng(1).integers(90, 130, (16, 8, 32, 32, 3), dtype=np.uint8)
    views = [draw_view(AugmentConfig(), 32, 5, 0, clip) for clip in range(16)]
    batch = InMemoryClips(frames_NTHWC, NORMALISATION["clip"]).batch(torch.arange(16), CPU, views)
    expected = np.stack([plain(*seen, NORMALISATION["clip"]) for seen in zip(frames_NTHWC, views, strict=True)])
    np.testing.assert_allclose(batch.numpy(), expected, rtol=0, atol=5e-6)


def test_a_damaged_settings_file_of_numbas_is_named(tmp_path, monkeypatch):
    (tmp_path / "numba.py").write_text("import yaml\nraise yaml.YAMLError")  # as it does when it reads that file
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    with pytest.raises(UserError, match=r"\.numba_config\.yaml: is no YAML; mend or remove it"):
        one_pass._compiled.__wrapped__()
