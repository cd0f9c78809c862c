import numpy as np
import pytest
import torch

from hybrid.config import AugmentConfig
from hybrid.data import transforms
from hybrid.data.transforms import IDENTITY, AugmentParams, draw_view

CLIP_CTHW = torch.randint(0, 256, (3, 4, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def apply(clip_CTHW, view):
    frames_THWC = np.ascontiguousarray(clip_CTHW.permute(1, 2, 3, 0))
    out_THWC = np.empty_like(frames_THWC)
    transforms.apply(frames_THWC, view, out_THWC)
    return torch.from_numpy(out_THWC).permute(3, 0, 1, 2)


def test_a_view_is_a_function_of_seed_epoch_and_clip():
    config = AugmentConfig()
    assert draw_view(config, 64, 1, 2, 3) == draw_view(config, 64, 1, 2, 3)
    views = {draw_view(config, 64, seed, epoch, clip) for seed in (0, 1) for epoch in (0, 1) for clip in (0, 1, 1024)}
    assert len(views) == 12


def test_draws_stay_within_what_the_config_allows_and_reach_it():
    config = AugmentConfig(shift=0.1, gain=0.2, offset=0.1)
    views = [draw_view(config, 64, 0, 0, clip) for clip in range(2000)]
    shifts = np.array([view.shift for view in views])
    assert shifts.min() == -6 and shifts.max() == 6
    gains = np.array([view.gain for view in views])
    assert 0.8 <= gains.min() < 0.81 and 1.19 < gains.max() <= 1.2
    assert {(view.mirrored, view.quarter_turns) for view in views} == {(m, q) for m in (False, True) for q in range(4)}


def test_switching_the_symmetries_off_leaves_the_other_draws_alone():
    on, off = AugmentConfig(), AugmentConfig(flips_and_turns=False)
    for clip in range(20):
        with_turns, without = draw_view(on, 64, 0, 0, clip), draw_view(off, 64, 0, 0, clip)
        assert (without.mirrored, without.quarter_turns) == (False, 0)
        assert (with_turns.shift, with_turns.gain, with_turns.offset) == (without.shift, without.gain, without.offset)


def test_the_still_view_changes_nothing():
    assert torch.equal(apply(CLIP_CTHW, IDENTITY), CLIP_CTHW)


def test_frames_that_are_mapped_read_only_are_shown_without_a_warning(recwarn):
    frames_THWC = np.ascontiguousarray(CLIP_CTHW.permute(1, 2, 3, 0))
    frames_THWC.flags.writeable = False
    always = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    try:
        transforms.apply(frames_THWC, IDENTITY, np.empty_like(frames_THWC))
    finally:
        torch.set_warn_always(always)
    assert not recwarn.list


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_turns_and_mirrors_move_pixels_and_keep_time(turns, mirrored):
    moved = apply(CLIP_CTHW, AugmentParams(mirrored, turns, (0, 0), 1.0, 0.0))
    for frame in range(4):
        assert torch.equal(moved[:, frame].flatten(1).sort().values, CLIP_CTHW[:, frame].flatten(1).sort().values)
    assert torch.equal(moved, CLIP_CTHW) == (turns == 0 and not mirrored)


def test_a_shift_repeats_the_border():
    moved = apply(CLIP_CTHW, AugmentParams(False, 0, (3, -2), 1.0, 0.0))
    assert torch.equal(moved[..., 3:, :-2], CLIP_CTHW[..., :-3, 2:])
    assert torch.equal(moved[..., :3, :-2], CLIP_CTHW[..., :1, 2:].expand(-1, -1, 3, -1))
