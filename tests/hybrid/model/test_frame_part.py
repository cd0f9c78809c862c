"""The hybrid's part over all frames: what its layers are, how far each mixer sees, what they cost, how it starts."""

import pytest
import torch
from support import FIRST_DESIGN
from torch import nn

from baselines.contract import Intermediates
from hybrid import create_model
from hybrid.model.frame_part import FRAME_MIXERS, FrameLayer, make_mixer
from hybrid.model.frame_values import FRAME_VALUES, FrameReader, any_turns

TIMES = torch.arange(16) / 16


def lively(**options):
    torch.manual_seed(0)
    model = create_model("hybrid", "tiny", **options).eval()
    nn.init.normal_(model.frames.leave.norm.weight)
    return model


@torch.no_grad()
def test_a_layer_is_torchs_transformer_layer():
    torch.manual_seed(0)
    ours = FrameLayer(12, make_mixer("attention", 12, 3, 16)).eval()
    theirs = nn.TransformerEncoderLayer(12, 3, 24, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    pairs = {
        "self_attn.in_proj_weight": ours.mixer.to_qkv.weight,
        "self_attn.in_proj_bias": ours.mixer.to_qkv.bias,
        "self_attn.out_proj.weight": ours.mixer.out.weight,
        "self_attn.out_proj.bias": ours.mixer.out.bias,
        "norm1.weight": ours.norm.weight,
        "norm1.bias": ours.norm.bias,
        "norm2.weight": ours.think.norm.weight,
        "norm2.bias": ours.think.norm.bias,
        "linear1.weight": ours.think.widen.weight,
        "linear1.bias": ours.think.widen.bias,
        "linear2.weight": ours.think.narrow.weight,
        "linear2.bias": ours.think.narrow.bias,
    }
    for parameter in pairs.values():
        parameter.add_(0.1 * torch.randn_like(parameter))
    theirs.load_state_dict(pairs)
    x_BTD = torch.randn(2, 16, 12)
    for into in (None, Intermediates()):
        torch.testing.assert_close(ours(x_BTD, TIMES, into, "frames.0"), theirs.eval()(x_BTD), atol=1e-5, rtol=1e-5)


REACH = {
    "attention": range(16),
    "window3": range(7, 10),
    "window5": range(6, 11),
    "window9": range(4, 13),
    "conv5": range(6, 11),
    "conv31": range(16),
    "perceptron": range(16),
    "alone": range(8, 9),
}


@pytest.mark.parametrize("kind", REACH)
def test_frame_8_sees_as_far_as_the_mixers_name_says(kind):
    torch.manual_seed(0)
    layer, x_1TD = FrameLayer(48, make_mixer(kind, 48, 4, 16)), torch.randn(1, 16, 48, requires_grad=True)
    layer(x_1TD, TIMES, None, "")[0, 8].square().sum().backward()
    assert [t for t in range(16) if x_1TD.grad[0, t].any()] == list(REACH[kind])
    assert set(REACH) == set(FRAME_MIXERS) - {"none"}


@pytest.mark.parametrize(("width", "heads"), [(48, 4), (256, 8)])
def test_every_mixer_has_as_many_parameters_as_attention_within_a_twentieth(width, heads):
    numbers = {kind: sum(p.numel() for p in make_mixer(kind, width, heads, 16).parameters()) for kind in REACH}
    for kind, number in numbers.items():
        assert 0.95 < number / numbers["attention"] < 1.05, kind


@torch.no_grad()
def test_attention_can_be_looked_at_and_that_changes_nothing():
    model, clip = lively(), torch.randn(2, 3, 16, 64, 64)
    logits, seen = model.forward_intermediates(clip)
    torch.testing.assert_close(logits, model(clip), atol=1e-5, rtol=0)
    assert list(seen.attention) == ["frames.0", "frames.1"] and model.temporal_layers == ()
    for name, attention in seen.attention.items():
        assert attention.weights.shape == (2, 1, 4, 16, 16)
        torch.testing.assert_close(attention.weights.sum(-1), torch.ones(2, 1, 4, 16))
        assert torch.equal(attention.key_times, TIMES) and torch.equal(attention.query_times, TIMES)
        assert attention.update_ratio[""] is seen.update_ratio[name] and (seen.update_ratio[name] > 0).all()
    _, seen = lively(frame_mixer="conv31").forward_intermediates(clip)
    assert not seen.attention and "frames.1" in seen.update_ratio


def test_the_logits_have_gradients_with_respect_to_the_recorded_attention():
    logits, seen = lively().forward_intermediates(torch.randn(1, 3, 8, 64, 64))
    recorded = [attention.weights for attention in seen.attention.values()]
    assert all(gradient.abs().sum() > 0 for gradient in torch.autograd.grad(logits[0, 0], recorded))


@torch.no_grad()
@pytest.mark.parametrize("kind", REACH)
@pytest.mark.parametrize("frames", [8, 16, 32])
def test_it_goes_on_from_what_it_reads_or_is_given(kind, frames):
    model, clip = lively(frame_mixer=kind), torch.randn(2, 3, frames, 64, 64)
    features = model.forward_features(clip)
    read_BTD = model.read_frames(model.time_steps(features, frames))
    assert read_BTD.shape == (2, frames, len(FRAME_VALUES))
    assert torch.equal(model.forward_head(features, frames_BTD=read_BTD), model(clip))
    assert not torch.allclose(model.forward_head(features, frames_BTD=read_BTD.flip(0)), model(clip), atol=1e-4)


@torch.no_grad()
def test_turns_are_by_any_angle_and_half_of_them_mirrored():
    torch.manual_seed(0)
    turn_B22 = any_turns(500, torch.zeros(1, dtype=torch.double))
    torch.testing.assert_close(turn_B22 @ turn_B22.mT, torch.eye(2, dtype=torch.double).expand(500, 2, 2))
    mirrored = turn_B22.det() < 0
    assert 200 < mirrored.sum() < 300
    angle_B = torch.atan2(turn_B22[:, 1, 1], -turn_B22[:, 1, 0])
    assert torch.histc(angle_B, 4, -torch.pi, torch.pi).min() > 80
    model = lively().train()
    assert not torch.equal(*(model.frames(torch.ones(1, 16, 15), FRAMES, torch.zeros(1, 448)) for _ in range(2)))


def test_frames_of_steps_are_in_order():
    reader = FrameReader([(4, 5), (1, 3)])
    steps = [torch.randn(1, 4, 5), torch.randn(1, 16, 3)]
    answers_TD = reader(steps)[0]
    slow, fast = reader.pathways
    for frame in range(16):
        of_slow = slow(steps[0][0, frame // 4]).view(4, -1)[frame % 4]
        torch.testing.assert_close(answers_TD[frame], of_slow + fast(steps[1][0, frame]))


FRAMES = create_model("hybrid", "tiny").frame_times_of_pathways(16)["fast"]


@pytest.mark.parametrize(("held", "built"), [(FIRST_DESIGN, {}), ({}, FIRST_DESIGN)], ids=["first", "second"])
def test_a_checkpoint_of_the_other_design_is_refused_with_the_options_that_load_it(held, built, tmp_path):
    torch.save(create_model("hybrid", "tiny", **held).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(ValueError, match="holds (temporal|frames).*stages=res4-5 head=attentive frame_mixer=none"):
        create_model("hybrid", "tiny", **built, pretrained=str(tmp_path / "weights.pt"))
    create_model("hybrid", "tiny", **held, pretrained=str(tmp_path / "weights.pt"))
