import numpy as np
import pytest
import torch
from models_under_test import lively
from toy_models import Toy, brightness, noise_clips, under_test

from hybrid.analysis.measures.batching import ROUNDING
from hybrid.analysis.measures.frame_occlusion import FrameOcclusion, prefixes
from hybrid.analysis.perturbations import FILLS, stand_ins


def weighted(weight_T):
    """0.5 + 0.01 sum weight_t x_t"""
    weight_T = torch.as_tensor(weight_T, dtype=torch.float64)
    return under_test(Toy(lambda clip: 0.5 + 0.01 * brightness(clip) @ weight_T))


def only(*frames):
    return np.isin(np.arange(16), frames).astype(float)


def test_the_effect_is_that_of_the_frames_that_count():
    clips = noise_clips()
    found = FrameOcclusion().measure(weighted(only(3) - 2 * only(9)), clips)
    for fill in FILLS:
        change_NT = np.stack([brightness((clip - stand_ins(clip, fill))[None])[0] for clip in clips.clip_NCTHW])
        effect_NT = 0.01 * np.abs(change_NT * (only(3) - 2 * only(9)))
        np.testing.assert_allclose(found.curves[f"effect, {fill}"].y_NX, effect_NT, atol=1e-9)
        np.testing.assert_allclose(
            found.figures[f"effect of a frame, {fill} (grades)"], effect_NT.mean(axis=1), rtol=1e-5
        )


def test_the_areas_of_one_frame_that_counts_are_known():
    """Gone first, it is gone from 1 to 15 frames away; gone last, it never goes."""
    found = FrameOcclusion(fills=("mean",)).measure(weighted(only(6)), noise_clips())
    effect_N = found.curves["effect, mean"].y_NX[:, 6]
    np.testing.assert_allclose(found.figures["deletion, mean (grades)"], effect_N * 14.5 / 15, atol=ROUNDING)
    np.testing.assert_allclose(found.figures["insertion, mean (grades)"], 0, atol=ROUNDING)


@pytest.mark.parametrize("fill", FILLS)
def test_the_order_found_beats_random_ones(fill):
    """The frames that count are the bright ones, so that each of them pulls the answer down as it goes."""
    weight_T = np.array([0, 0, 2.5, 0, 0, 0, 1.5, 0, 0, 0, 0, 1, 0, 0, 0, 0.25])
    clips = noise_clips(4)
    clips.clip_NCTHW[:, :, weight_T > 0] += 4
    found = FrameOcclusion(fills=(fill,)).measure(weighted(weight_T), clips)
    deletion_N, random_N, insertion_N = (
        found.figures[f"{order}, {fill} (grades)"] for order in ("deletion", "random order", "insertion")
    )
    assert (deletion_N > 1.2 * random_N).all() and (random_N > 1.2 * insertion_N).all()


def test_curves_begin_where_nothing_is_gone():
    found = FrameOcclusion().measure(weighted(np.ones(16)), noise_clips(1))
    for order in ("deletion", "insertion", "random order"):
        curve = found.curves[f"{order}, freeze"]
        np.testing.assert_allclose(curve.x_X, np.arange(16) / 16)
        assert curve.y_NX[0, 0] == 0 and (curve.y_NX[0, 1:] > 0).all()


def test_prefixes():
    assert prefixes(np.array([2, 0, 1])).tolist() == [[False, False, True], [True, False, True]]


def test_an_image_model_depends_on_its_frame_alone():
    found = FrameOcclusion(random_orders=1).measure(lively("resnet50"), noise_clips(2, frames=8, grades=5, side=64))
    for fill in FILLS:
        effect_NT = found.curves[f"effect, {fill}"].y_NX
        assert (effect_NT[:, 0] > 0).all() and (effect_NT[:, 1:] == 0).all()
        np.testing.assert_allclose(found.figures[f"insertion, {fill} (grades)"], 0, atol=1e-6)
