"""Taking a TimeSformer's layers: what is copied computes the same, what is fitted is the best linear map."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge as Reference
from torch import nn
from torch.testing import assert_close

from baselines.contract import Intermediates
from hybrid import create_model
from hybrid.model.clock import Clock
from hybrid.model.graft import graft, tokens_before
from hybrid.model.ridge import Ridge


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def teacher():
    """A tiny TimeSformer whose temporal branches are not zero."""
    model = create_model("timesformer", "tiny").eval()
    for block in model.blocks:
        nn.init.normal_(block.temporal_fc.weight, std=0.2)
        nn.init.normal_(block.temporal_attn.proj.bias)
    return model


def clips(batches=5):
    return [torch.randn(2, 3, 16, 64, 64) for _ in range(batches)]


def test_ridge_equals_scikit_learns_and_explains_what_r2_says():
    x, z = np.random.default_rng(0).normal(size=(2, 200, 3))
    z = z + x @ np.ones((3, 3)) + 5
    ridge = Ridge(3, 3)
    for part in np.split(np.arange(200), 4):
        ridge.add(torch.as_tensor(x[part]), torch.as_tensor(z[part]))
    weight, bias = ridge.solve(0.1)
    alpha = 0.1 * 200 * x.var(axis=0).mean()
    reference = Reference(alpha=alpha).fit(x, z)
    assert_close(weight.numpy(), reference.coef_, atol=1e-8, rtol=0)
    assert_close(bias.numpy(), reference.intercept_, atol=1e-8, rtol=0)
    error = ((z - reference.predict(x)) ** 2).sum()
    assert ridge.explained(weight, bias) == pytest.approx(1 - error / ((z - z.mean(0)) ** 2).sum(), abs=1e-9)


@torch.no_grad()
def test_a_branch_computes_what_the_timesformers_layer_does_from_the_same_tokens():
    source = teacher()
    branch = create_model("hybrid", "tiny", init="timesformer", scope="fast", positions="none").temporal["res4"]
    branch.take(source.blocks[1])
    token = torch.randn(2, 16, 16, 48)
    clock = Clock.of_frames(torch.arange(16), 16, 16.0)
    mixed = branch.mix({"fast": token}, {"fast": clock}, (4, 4))["fast"]
    assert_close(mixed, source.blocks[1].over_time(token, False)[0], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_stitched_layers_end_in_the_class_token_of_the_timesformer():
    """Its own tokens, put in by hand, run through them as they do at home."""
    source, clip = teacher(), clips(1)[0]
    model = create_model("hybrid", "tiny", stitch=2, alpha=2).eval()
    graft(model, source, clips())
    stitch = model.stitch
    (cls, token), expected = tokens_before(source, clip)[1], source.forward_features(clip)[0]
    times = source.frame_times(16)
    for block in stitch.blocks:
        cls, token = block.run(cls, token, times, None, "")
    assert_close(stitch.norm(cls)[:, 0], expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_after_grafting_it_is_still_the_slowfast_it_was():
    batches = clips()
    model = create_model("hybrid", "tiny", init="timesformer", stitch=2, alpha=2).eval()
    slowfast = create_model("slowfast", "tiny", alpha=2).eval()
    model.load_state_dict(slowfast.state_dict(), strict=False)
    explained = graft(model, teacher(), batches)
    assert list(explained) == ["res4.slow", "res4.fast", "res5.slow", "res5.fast", "stitch"]
    assert all(share < 1 for share in explained.values())
    assert torch.equal(model(batches[0]), slowfast(batches[0]))


@torch.no_grad()
def test_a_map_that_exists_is_found(monkeypatch):
    """A TimeSformer whose tokens are a linear map of what Slow has at their place and frame."""
    model = create_model("hybrid", "tiny", init="timesformer", scope="slow", stages="res4-5").eval()
    hidden = nn.Linear(192, 48)

    def pretended(teacher, clip):
        into = Intermediates()
        model.forward_features(clip, into)
        slow = into.features["slow.res4"].x_BCTHW.flatten(3).permute(0, 3, 2, 1)
        token = torch.zeros(len(clip), 16, 16, 48)
        token[:, :, model.clocks(16)["slow"].frame_T] = hidden(model.temporal["res4"].norm["slow"](slow))
        return [(token[:, :1, 0], token)] * 4

    monkeypatch.setattr("hybrid.model.graft.tokens_before", pretended)
    assert graft(model, teacher(), clips(), penalty=1e-9)["res4.slow"] > 0.9999


def test_places_and_steps_take_what_the_map_leaves(monkeypatch):
    """Tokens that are nothing but place + step: the map finds a constant, the tables the rest."""
    source = teacher()
    place, step = torch.randn(16, 1, 48), torch.randn(1, 16, 48)
    place, step = place - place.mean(0), step - step[:, ::2].mean(1)
    cls = torch.randn(1, 1, 48)

    def pretended(teacher, clip):
        return [(cls.expand(len(clip), -1, -1), (place + step).expand(len(clip), -1, -1, -1))] * 4

    monkeypatch.setattr("hybrid.model.graft.tokens_before", pretended)
    model = create_model("hybrid", "tiny", stitch=2, alpha=2, slow_frames="stride").eval()
    graft(model, source, clips(), penalty=1e6)  # the map itself can explain nothing
    assert_close(model.stitch.place_1ND[0], place[:, 0], atol=1e-3, rtol=0)
    assert_close(model.stitch.step_TD, step[0, ::2], atol=1e-3, rtol=0)
    assert_close(model.stitch.cls_token, cls)


def test_every_part_of_a_grafted_hybrid_learns_after_one_step():
    model = create_model("hybrid", "tiny", init="timesformer", stitch=2, alpha=2).train()
    graft(model, teacher(), clips())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        model(clips(1)[0]).square().sum().backward()
        optimizer.step()
    silent = [name for name, p in model.named_parameters() if not p.grad.abs().sum() > 0]
    assert not [name for name in silent if name.startswith(model.new_module_prefixes)]


def test_a_hybrid_without_such_parts_and_a_timesformer_of_another_width_are_refused():
    with pytest.raises(ValueError, match="set init='timesformer' or stitch"):
        graft(create_model("hybrid", "tiny"), teacher(), clips())
    other = create_model("ensemble", "tiny").timesformer
    with pytest.raises(ValueError, match="18 wide with 2 heads does not fit"):
        graft(create_model("hybrid", "tiny", init="timesformer"), other, clips())
    with pytest.raises(ValueError, match="more layers than the TimeSformer's 3"):
        graft(create_model("hybrid", "tiny", stitch=4), teacher(), clips())
    with torch.device("meta"), pytest.raises(ValueError, match="could be about"):
        create_model("hybrid", "tiny", init="timesformer", width=32)
