"""The second look: where it looks, that it turns with the cell, what it changes."""

import math

import pytest
import torch
from torch import nn

from hybrid import create_model
from hybrid.model.frame_values import FRAME_VALUES, columns_of, turned
from hybrid.model.glimpse import LENGTH, WIDTH, Glimpse

QUARTER_TURN = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
"""of vectors (right, down), as torch.rot90 turns a picture"""


def lively(in_channels: int = 1) -> Glimpse:
    torch.manual_seed(0)
    glimpse = Glimpse(in_channels, "tiny", 7).eval()
    for layer in (*(look.correct for look in glimpse.looks), glimpse.leave):
        nn.init.normal_(layer.weight, std=0.1)
    return glimpse


def values_at(glimpse: Glimpse, x: float, y: float, degrees: float, side: int = 64) -> torch.Tensor:
    """(1, 1, D) of a head at pixel (x, y) that points so many degrees from right towards down."""
    values = torch.zeros(1, 1, len(FRAME_VALUES))
    angle, middle = math.radians(degrees), (side - 1) / 2
    values[..., columns_of("heading")] = 3 * torch.tensor([math.cos(angle), math.sin(angle)])
    values[..., columns_of("head")] = (torch.tensor([x, y]) - middle) / (side / 2) / glimpse.spread
    return values


@torch.no_grad()
@pytest.mark.parametrize("degrees", [0, 30, 90, 200])
def test_a_patch_lies_at_the_head_along_its_heading(degrees):
    glimpse, (x, y), angle = lively(), (40, 25), math.radians(degrees)
    look = glimpse.looks[0]
    down_HW, right_HW = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    ahead_HW = (right_HW - x) * math.cos(angle) + (down_HW - y) * math.sin(angle)
    aside_HW = (down_HW - y) * math.cos(angle) - (right_HW - x) * math.sin(angle)
    for picture_HW, axis, share in ((ahead_HW, 1, LENGTH), (aside_HW, 0, WIDTH)):
        patch_hw = look.patches(picture_HW[None, None, None], values_at(glimpse, x, y, degrees), glimpse.spread)[0][
            0, 0
        ]
        wanted = torch.arange(patch_hw.shape[axis]) + 0.5 - patch_hw.shape[axis] / 2
        wanted = wanted * 64 * share / patch_hw.shape[axis]
        torch.testing.assert_close(patch_hw.mean(1 - axis), wanted, atol=1e-4, rtol=0)


@torch.no_grad()
def test_what_it_sees_and_corrects_turns_with_the_picture():
    glimpse, clip = lively(), torch.randn(1, 1, 3, 64, 64)
    values = torch.cat([values_at(glimpse, 20 + 9 * frame, 30, 40 * frame) for frame in range(3)], dim=1)
    corrected, shown = glimpse(clip, values)
    of_turned, shown_of_turned = glimpse(clip.rot90(1, (3, 4)), turned(values, QUARTER_TURN[None]))
    torch.testing.assert_close(shown_of_turned, shown, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(of_turned, turned(corrected, QUARTER_TURN[None]), atol=1e-5, rtol=1e-5)


def test_where_it_looks_is_not_learned_and_what_it_sees_is():
    glimpse, clip = lively().train(), torch.randn(2, 1, 3, 64, 64, requires_grad=True)
    values = torch.randn(2, 3, len(FRAME_VALUES), requires_grad=True)
    corrected, shown = glimpse(clip, values)
    ((corrected - values).square().sum() + glimpse.add(torch.zeros(2, 7), shown).square().sum()).backward()
    assert not values.grad.any()
    assert clip.grad.abs().sum() > 0 and all(p.grad.abs().sum() > 0 for p in glimpse.parameters())


@torch.no_grad()
def test_the_hybrid_goes_on_from_what_was_corrected_and_answers_with_what_is_shown():
    torch.manual_seed(0)
    model, clip = create_model("hybrid", "tiny").eval(), torch.randn(2, 3, 16, 64, 64)
    first, glimpse = model.forward_features(clip)[2], model.frames.glimpse
    nn.init.normal_(glimpse.looks[1].correct.weight)
    features = model.forward_features(clip)
    assert not torch.allclose(features[2], first, atol=1e-2)
    torch.testing.assert_close(features[2:], glimpse(clip, first), atol=1e-5, rtol=1e-5)
    answer = model(clip)
    nn.init.normal_(glimpse.leave.weight)
    assert not torch.allclose(model(clip), answer, atol=1e-3)


def test_it_takes_the_units_that_frames_were_measured_in():
    model = create_model("hybrid", "tiny")
    spread_D = torch.rand(len(FRAME_VALUES))
    model.set_units(spread_D)
    assert model.frames.glimpse.spread == spread_D[columns_of("head")].mean()
    create_model("hybrid", "tiny", glimpse=False).set_units(spread_D)


@torch.no_grad()
def test_the_last_look_goes_by_what_it_is_told():
    glimpse, clip = lively(), torch.randn(2, 1, 3, 64, 64)
    read, told = torch.randn(2, 2, 3, len(FRAME_VALUES))
    told[1] = torch.nan
    corrected, shown = glimpse(clip, read, told)
    of_last, seen = glimpse.looks[-1](clip[:1], told[:1], glimpse.spread)
    torch.testing.assert_close(corrected[:1], told[:1] + of_last, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(shown[:1], seen.mean(1), atol=1e-5, rtol=1e-5)
    for mixed, alone in zip((corrected, shown), glimpse(clip[1:], read[1:]), strict=True):
        torch.testing.assert_close(mixed[1:], alone, atol=1e-5, rtol=1e-5)
