"""fvcore's counts against counts by hand."""

import pytest
import timm
import torch
from support import FIRST_DESIGN
from torch import nn

from baselines.timesformer import TimeSformer
from hybrid import create_model, list_models
from hybrid.profiling import profile_model


class OneFrame(nn.Module):
    """An image model as a model of clips."""

    def __init__(self, image_model):
        super().__init__()
        self.image_model = image_model

    def forward(self, clip_BCTHW):
        return self.image_model(clip_BCTHW[:, :, 0])


def vit_macs(width, depth, tokens, patch_values, patches, classes):
    """Products alone: patch embedding, q k v and output, scores and their use, a four times wider MLP, classifier."""
    block = 4 * tokens * width**2 + 2 * tokens**2 * width + 8 * tokens * width**2
    return patches * patch_values * width + depth * block + width * classes


@pytest.mark.parametrize("fused", [True, False])
def test_vit_b16_fused_or_not_counts_17_58_gmac(fused):
    timm.layers.set_fused_attn(fused)
    try:
        profile = profile_model(OneFrame(timm.create_model("vit_base_patch16_224")), (3, 1, 224, 224))
    finally:
        timm.layers.set_fused_attn(True)
    by_hand = vit_macs(768, 12, 197, 16 * 16 * 3, 196, 1000) / 1e9
    assert profile.gmac == pytest.approx(by_hand, rel=0.01)
    assert profile.gmac == pytest.approx(17.58, abs=0.005)
    assert profile.parameters == 86_567_656
    assert profile.uncounted == {}


def test_a_timesformer_layer_at_paper_size_agrees_with_a_count_by_hand():
    frames, patches, width = 8, 196, 768
    model = TimeSformer(
        num_grades=5, num_frames=8, crop_size=224, in_channels=3, patch=16, dim=768, depth=1, heads=12, drop_path=0.0
    )
    profile = profile_model(model, (3, frames, 224, 224))
    tokens = frames * patches
    over_time = 5 * tokens * width**2 + 2 * patches * frames**2 * width
    over_space = 4 * frames * (patches + 1) * width**2 + 2 * frames * (patches + 1) ** 2 * width
    mlp = 8 * (tokens + 1) * width**2
    by_hand = tokens * 16 * 16 * 3 * width + over_time + over_space + mlp + 5 * width
    assert profile.gmac == pytest.approx(by_hand / 1e9, rel=0.01)
    assert profile.uncounted == {}


class Products(nn.Module):
    """One product of each kind, of shapes that tell every factor apart."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.weight = nn.Parameter(torch.randn(7, 11))

    def forward(self, clip_BCTHW):
        x = clip_BCTHW[0, :, :, :, 0]  # 3, 5, 7
        match self.kind:
            case "matmul":
                return x @ self.weight
            case "vector":
                return x @ self.weight[:, 0]
            case "bmm":
                return torch.bmm(x, self.weight.expand(3, 7, 11))
            case "addmm":
                return torch.addmm(self.weight.new_zeros(11), x[0], self.weight)
            case "baddbmm":
                return torch.baddbmm(self.weight.new_zeros(1), x, self.weight.expand(3, 7, 11))
            case "einsum":
                return torch.einsum("ctd,de->cte", x, self.weight)
            case "batched einsum":
                return torch.einsum("ctd,cud->ctu", x, x)
            case "attention":
                q, k = x[:, :4], x[:, :5]
                return nn.functional.scaled_dot_product_attention(q, k, k)
            case "unknown":
                return torch.cdist(x, x)


@pytest.mark.parametrize(
    ("kind", "macs", "activations"),
    [
        ("matmul", 3 * 5 * 7 * 11, 3 * 5 * 11),
        ("vector", 3 * 5 * 7, 3 * 5),
        ("bmm", 3 * 5 * 7 * 11, 3 * 5 * 11),
        ("addmm", 5 * 7 * 11, 5 * 11),
        ("baddbmm", 3 * 5 * 7 * 11, 3 * 5 * 11),
        ("einsum", 3 * 5 * 7 * 11, 3 * 5 * 11),
        ("batched einsum", 3 * 5 * 5 * 7, 3 * 5 * 5),
        ("attention", 2 * 3 * 4 * 5 * 7, 3 * 4 * 5 + 3 * 4 * 7),
    ],
)
def test_products_of_every_kind_are_counted_exactly(kind, macs, activations):
    profile = profile_model(Products(kind), (3, 5, 7, 1))
    assert profile.gmac * 1e9 == pytest.approx(macs, abs=1e-6)
    assert profile.activations == activations
    assert profile.uncounted == {}


def test_an_operator_that_is_not_counted_is_named():
    assert profile_model(Products("unknown"), (3, 5, 7, 1)).uncounted == {"aten::cdist": 1}


def test_convolutions_are_counted_exactly():
    model = nn.Conv3d(4, 8, (3, 1, 5), stride=(1, 1, 2), padding=(1, 0, 2), groups=2, bias=False)
    profile = profile_model(model, (4, 6, 10, 10))
    outputs = 8 * 6 * 10 * 5
    assert profile.gmac * 1e9 == pytest.approx(outputs * 2 * 3 * 5)
    assert profile.activations == outputs


def test_work_whose_result_is_thrown_away_is_work():
    class Wasteful(nn.Sequential):
        def forward(self, x):
            self[1](x)
            return self[0](x)

    profile = profile_model(Wasteful(nn.Linear(4, 2), nn.Linear(4, 3)), (1, 1, 1, 4))
    assert profile.gmac * 1e9 == pytest.approx(4 * 2 + 4 * 3)


def test_shared_parameters_count_once_and_the_mode_stays():
    linear = nn.Linear(4, 4)
    model = nn.Sequential(linear, linear).train()
    profile = profile_model(model, (1, 1, 1, 4))
    assert profile.parameters == 20
    assert profile.gmac * 1e9 == pytest.approx(32)
    assert model.training


def test_a_batch_is_no_clip():
    with pytest.raises(ValueError, match="one clip"):
        profile_model(nn.Linear(4, 4), (2, 3, 16, 64, 64))


def test_slowfast_and_hybrid_at_paper_size_cost_what_was_promised():
    """At most 1.10 times SlowFast's work and 1.08 times its parameters at 16/4 frames."""
    models = [("slowfast", {}), ("hybrid", {}), ("hybrid", FIRST_DESIGN)]
    slowfast, *hybrids = (profile_model(create_model(name, **options), (3, 16, 224, 224)) for name, options in models)
    assert slowfast.gmac == pytest.approx(25.3, abs=0.05) and slowfast.uncounted == {}
    for hybrid in hybrids:
        assert hybrid.uncounted == {}
        assert 1 < hybrid.gmac / slowfast.gmac <= 1.10
        assert 1 < hybrid.parameters / slowfast.parameters <= 1.08
    assert hybrids[0].gmac - slowfast.gmac == pytest.approx(frame_part_gmac(), rel=0.02)
    attention = hybrid_attention_gmac(slow=(4, 1024), fast=(16, 128), places=14 * 14)
    attention += hybrid_attention_gmac(slow=(4, 2048), fast=(16, 256), places=7 * 7)
    assert hybrids[1].gmac - slowfast.gmac == pytest.approx(attention, rel=0.01)


def frame_part_gmac(frames=16, values=15, width=256, features=2304):
    """By hand: what is read of four quarters, of Slow after res5 and of Fast after res4 and res5; two looks at a patch
    of 32x40 points, whose last five slices go through 64 to the features; into the width, two layers, their mean."""
    read = 4 * 4 * 2048 * 4 * values + frames * 4 * (128 + 256) * values
    convolutions = 9 * (16 * 20 * 3 * 16 + 8 * 10 * 16 * 32 + 4 * 5 * 32 * 64)
    looks = 2 * frames * (convolutions + 5 * 64 * values) + 5 * 64 * 64 + 64 * features
    layer = frames * (4 * width**2 + 2 * frames * width + 4 * width**2)
    return (read + looks + frames * values * width + 2 * layer + width * features) / 1e9


def hybrid_attention_gmac(slow, fast, places, width=256):
    """One layer by hand: in and out of the width, the norms there (5 a number, as fvcore counts), q k v, scores and
    their use, at every place."""
    tokens, numbers = slow[0] + fast[0], slow[0] * slow[1] + fast[0] * fast[1]
    in_and_out = 2 * numbers * (width + 5)
    return places * (in_and_out + 3 * tokens * width**2 + 2 * tokens**2 * width) / 1e9


@pytest.mark.parametrize("name", list_models())
def test_the_tiny_size_costs_15_to_45_mmac(name):
    profile = profile_model(create_model(name, "tiny"), (3, 16, 64, 64))
    assert 0.015 <= profile.gmac <= 0.045
    assert profile.uncounted == {}


@pytest.mark.parametrize("name", list_models("frozen"))
def test_what_a_clip_costs_does_not_hold_the_making_of_a_frozen_network(name):
    model = create_model(name, "tiny")
    first, again = profile_model(model, (3, 16, 64, 64)), profile_model(model, (3, 16, 64, 64))
    assert first == again and first.uncounted == {}
