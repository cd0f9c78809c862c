"""Masks at a model's times and size: thin parts stay, and the same frames are taken as of the clip."""

import numpy as np
import pytest

from hybrid.data.clip import ClipSpec
from hybrid.data.masks import at_times, find_mask, read_mask, resized
from hybrid.data.simulated import HEAD, TAIL
from hybrid.errors import UserError


def test_a_tail_of_one_pixel_is_still_there_at_a_third_of_the_size():
    mask_THW = np.zeros((2, 150, 150), np.uint8)
    mask_THW[:, 75, 10:140] = TAIL
    small = resized(mask_THW, 64)
    assert small.shape == (2, 64, 64) and set(np.unique(small)) == {0, TAIL}
    row = np.flatnonzero((small[0] == TAIL).any(axis=1))
    assert set(row) <= {31, 32} and (small[0] == TAIL).any(axis=0).sum() >= 55


def test_the_part_that_covers_most_of_a_pixel_has_it():
    mask_THW = np.zeros((1, 128, 128), np.uint8)
    mask_THW[0, :2, :2] = HEAD
    mask_THW[0, 1, 1] = TAIL
    assert resized(mask_THW, 64)[0, 0, 0] == HEAD


def test_a_mask_is_enlarged_without_new_codes():
    mask_THW = np.random.default_rng(0).integers(0, 4, (1, 32, 32)).astype(np.uint8)
    assert (resized(mask_THW, 64) == mask_THW.repeat(2, 1).repeat(2, 2)).all()
    assert (resized(mask_THW, 32) == mask_THW).all()


def test_masks_are_taken_at_the_times_of_the_frames():
    mask_THW = np.arange(32, dtype=np.uint8)[:, None, None] * np.ones((1, 8, 8), np.uint8)
    half = at_times(mask_THW, frame_rate=32.0, spec=ClipSpec(8, 16.0, 64, 3))
    assert half[:, 0, 0].tolist() == list(range(0, 16, 2))
    held = at_times(mask_THW[:4], frame_rate=16.0, spec=ClipSpec(8, 16.0, 64, 3))
    assert held[:, 0, 0].tolist() == [0, 1, 2, 3, 3, 3, 3, 3]


@pytest.mark.parametrize(
    "masks, message",
    [
        (np.zeros((16, 64, 32), np.uint8), "must be square"),
        (np.zeros((64, 64), np.uint8), r"must be \(frames, height, width\)"),
        (np.full((16, 64, 64), 9, np.uint8), "codes 0 to 3"),
    ],
)
def test_other_masks_are_refused(masks, message, tmp_path):
    np.savez(tmp_path / "a.npz", masks=masks)
    with pytest.raises(UserError, match=message):
        read_mask(tmp_path / "a.npz", ClipSpec(), 16.0)


def test_a_missing_or_broken_mask_is_named(tmp_path):
    with pytest.raises(UserError, match="there is no mask of clip 'x/1.mp4'"):
        find_mask(tmp_path, "x/1.mp4")
    (tmp_path / "a.npz").write_text("no mask")
    with pytest.raises(UserError, match="a.npz: no readable mask"):
        read_mask(tmp_path / "a.npz", ClipSpec(), 16.0)
