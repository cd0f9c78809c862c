"""The controls of fusion: two whole networks that meet at the head alone."""

import pytest
import torch
from support import FIRST_DESIGN
from torch.testing import assert_close

from baselines.slowfast import SlowFast
from baselines.weights import load_parts
from hybrid import create_model, get_entry, list_models
from hybrid.profiling import profile_model

CONTROLS = ["slowfast_nln", "late_fusion", "ensemble"]


def clip(batch=2):
    return torch.randn(batch, 3, 16, 64, 64)


def test_controls_are_listed_when_asked_for_and_are_none_of_the_others():
    assert len(list_models()) == 15
    assert list_models(controls=True) == list_models() + CONTROLS
    assert all(get_entry(name).control for name in CONTROLS)


@torch.no_grad()
def test_late_fusion_is_one_linear_layer_over_both_nets_features():
    model = create_model("late_fusion", "tiny").eval()
    x = clip()
    pooled = [net.forward_head(net.forward_features(x), pre_logits=True) for net in (model.slowfast, model.timesformer)]
    assert_close(model(x), torch.cat(pooled, dim=1) @ model.head.weight.T + model.head.bias)


@torch.no_grad()
def test_an_ensemble_gives_the_mean_of_two_distributions():
    model = create_model("ensemble", "tiny").eval()
    x = clip()
    answers = []
    for net, member in zip((model.slowfast, model.timesformer), model.head.members, strict=True):
        answers.append(member(net.forward_head(net.forward_features(x), pre_logits=True)).softmax(-1))
    assert_close(model(x).softmax(-1), (answers[0] + answers[1]) / 2)
    assert_close(model(x).exp().sum(-1), torch.ones(2))


@pytest.mark.parametrize("name", ["late_fusion", "ensemble"])
def test_matched_costs_what_the_first_design_costs_and_else_both_nets_are_whole(name):
    """The hybrid of today costs less: the control has more to work with."""
    cost = {"hybrid": profile_model(create_model("hybrid", "tiny", **FIRST_DESIGN), (3, 16, 64, 64)).gmac}
    for matched in (True, False):
        cost[matched] = profile_model(create_model(name, "tiny", matched=matched), (3, 16, 64, 64)).gmac
    assert 0.95 < cost[True] / cost["hybrid"] < 1.05
    both = sum(profile_model(create_model(net, "tiny"), (3, 16, 64, 64)).gmac for net in ("slowfast", "timesformer"))
    assert 0.99 < cost[False] / both < 1.01


def test_official_weights_of_a_fusion_are_those_of_its_parts(monkeypatch):
    """Pretended ones, of the tiny size: what the libraries hand out needs a network."""
    torch.manual_seed(0)
    published = {}
    for name in ("slowfast", "timesformer"):
        published[next(iter(get_entry(name).official.values())).name] = create_model(name, "tiny", num_grades=400)
    monkeypatch.setattr("baselines.weights.fetch", lambda entry: published[entry.name].state_dict())
    model = create_model("late_fusion", "tiny")
    report = load_parts(model)
    for net in published.values():
        mine = model.slowfast if isinstance(net, SlowFast) else model.timesformer
        theirs = net.state_dict()
        assert all(torch.equal(value, theirs[key]) for key, value in mine.state_dict().items())
    assert set(report.dropped_head) == {"head.weight", "head.bias"}
    assert len(report.loaded) + 2 == len(model.state_dict()) and not report.missing

    matched = create_model("late_fusion", "tiny", matched=True)
    new = load_parts(matched).new
    assert new and all(key.startswith("timesformer.") for key in new)
    assert matched.new_module_prefixes == ("timesformer.",)


@pytest.mark.parametrize("part", ["slowfast", "timesformer"])
def test_a_checkpoint_of_one_part_fills_that_part(part, tmp_path):
    net, path = create_model(part, "tiny", num_grades=400), tmp_path / "net.pt"
    torch.save(net.state_dict(), path)
    fresh, model = create_model("late_fusion", "tiny"), create_model("late_fusion", "tiny", pretrained=str(path))
    theirs = net.state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in model.get_submodule(part).state_dict().items())
    others = [key for key in fresh.state_dict() if not key.startswith(f"{part}.")]
    assert {*model.load_report.new, *model.load_report.dropped_head} == set(others)
    assert str(model.load_report).startswith(f"{len(model.load_report.loaded)} tensors loaded from {path}")


@pytest.mark.parametrize("wrapper", ["", "module.", "model."])
@pytest.mark.parametrize("name", ["late_fusion", "ensemble"])
def test_its_own_checkpoint_fills_all_of_it_in_whatever_wrapper(name, wrapper, tmp_path):
    whole = create_model(name, "tiny").state_dict()
    torch.save({f"{wrapper}{key}": value for key, value in whole.items()}, tmp_path / "whole.pt")
    model = create_model(name, "tiny", pretrained=str(tmp_path / "whole.pt"))
    assert all(torch.equal(value, whole[key]) for key, value in model.state_dict().items())


def test_a_checkpoint_of_no_part_is_refused_by_name(tmp_path):
    torch.save(create_model("r3d", "tiny").state_dict(), tmp_path / "r3d.pt")
    with pytest.raises(ValueError, match="r3d.pt is no checkpoint of SlowFast.*r3d.pt is no checkpoint of TimeSformer"):
        create_model("late_fusion", "tiny", pretrained=str(tmp_path / "r3d.pt"))


def test_a_wrong_switch_is_refused():
    with torch.device("meta"), pytest.raises(ValueError, match="matched must be"):
        create_model("ensemble", "tiny", matched="yes")
    with torch.device("meta"), pytest.raises(TypeError, match="colour"):
        create_model("ensemble", "tiny", colour="blue")
