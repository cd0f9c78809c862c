"""Integrated gradients, occlusion and gradient x input against functions whose answer is known."""

import pytest
import torch
from models_under_test import WeightedSum, lively, noise
from torch.testing import assert_close

from hybrid.analysis.attributions import gradients
from hybrid.analysis.perturbations import blurred, temporal_mean
from hybrid.analysis.registry import ATTRIBUTIONS


def weights(frames: int = 8) -> torch.Tensor:
    return torch.randn(3, frames, 64, 64, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("make", [gradients.from_temporal_mean, gradients.from_blur])
def test_integrated_gradients_of_a_sum_are_weight_times_change(make):
    weight, clip, method = weights(), noise(), make()
    known_BTHW = (weight * (clip - method.baseline(clip))).sum(dim=1)
    assert_close(method.relevance(WeightedSum(weight), clip), known_BTHW, rtol=1e-3, atol=1e-4)


def test_gradient_times_input_of_a_sum_is_weight_times_input():
    weight, clip = weights(), noise()
    assert_close(ATTRIBUTIONS["gradient_input"].relevance(WeightedSum(weight), clip), (weight * clip).sum(dim=1))


def test_occlusion_of_a_sum_is_the_sum_over_the_box():
    weight, clip = torch.zeros(3, 8, 64, 64), noise()
    weight[:, 3, 20, 41] = 1  # box of frames 2-3, rows 16-23, columns 40-47
    relevance = ATTRIBUTIONS["occlusion"].relevance(WeightedSum(weight), clip)
    known_B = (clip - blurred(clip))[:, :, 3, 20, 41].sum(dim=1)
    box = relevance[:, 2:4, 16:24, 40:48]
    assert_close(box, known_B[:, None, None, None].expand_as(box), rtol=1e-3, atol=1e-4)
    box.zero_()
    assert (relevance == 0).all()


def gap_and_change(model: str, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """How far the relevance of each clip is from summing to the change, and the change."""
    tested, clip, method = lively(model), noise(), gradients.from_blur(steps)
    change_B = method.change(tested, clip)
    return (method.relevance(tested, clip).sum(dim=(1, 2, 3)) - change_B).abs(), change_B.abs()


@pytest.mark.parametrize("model", ["vit", "timesformer"])
def test_integrated_gradients_are_complete(model):
    gap_B, change_B = gap_and_change(model, gradients.STEPS)
    assert (gap_B < 1e-3 * change_B).all()


@pytest.mark.parametrize("model", ["vgg16", "slowfast"])
def test_behind_kinks_they_become_complete_with_the_steps(model):
    """ReLU and max pooling break the path into many straight pieces, which a few points see coarsely."""
    coarse_B, fine_B = (gap_and_change(model, steps)[0] for steps in (8, 128))
    assert fine_B.sum() < coarse_B.sum() / 4


def test_without_motion_integrated_gradients_from_the_temporal_mean_find_nothing():
    still = noise(frames=1).expand(-1, -1, 8, -1, -1)
    assert ATTRIBUTIONS["integrated_gradients"].relevance(lively("timesformer"), still).abs().max() < 1e-6


def test_fills():
    clip = noise()
    assert_close(temporal_mean(clip)[:, :, 0], clip.mean(dim=2))
    assert blurred(clip).std() < 0.1 * clip.std()
    assert_close(blurred(torch.full((1, 3, 2, 64, 64), 0.7)), torch.full((1, 3, 2, 64, 64), 0.7))
    one = torch.zeros(1, 3, 8, 64, 64)
    one[:, :, 2] = 1
    assert (blurred(one)[:, :, 3] == 0).all(), "a blur of space mixes no frames"
