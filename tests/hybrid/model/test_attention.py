"""The attention layer by itself: against torch's own, and what each option lets through."""

import pytest
import torch
from einops import rearrange
from torch import nn

from baselines.contract import Intermediates
from hybrid.model import attention as attention_module
from hybrid.model.attention import SPATIAL_CONTEXTS, CrossPathwayAttention, Neighbourhood
from hybrid.model.attention_mask import SCOPES, WINDOWS, AttentionMask
from hybrid.model.positions import POSITIONS, FrameTimes

CHANNELS = {"slow": 12, "fast": 6}
SLOW_FRAMES = torch.tensor([0, 5, 10, 15])


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def times():
    return {
        "slow": FrameTimes.of_frames(SLOW_FRAMES, 16, 16.0),
        "fast": FrameTimes.of_frames(torch.arange(16), 16, 16.0),
    }


def clip(batch=2):
    return {"slow": torch.randn(batch, 12, 4, 3, 3), "fast": torch.randn(batch, 6, 16, 3, 3)}


def layer(scope="both", window="global", positions="rotary_seconds", keys="place", opened=True):
    attention = CrossPathwayAttention(
        CHANNELS,
        width=16,
        heads=2,
        mask=AttentionMask(scope, window),
        positions=POSITIONS[positions](16, 2, 16),
        context=SPATIAL_CONTEXTS[keys](),
        pooled=keys == "frame_to_frame",
    )
    if opened:
        for leave in attention.leave.values():
            nn.init.normal_(leave.norm.weight)
        if positions == "relative":
            nn.init.normal_(attention.positions.table_Dh)
    return attention.eval()


def added(branch, pathways, *clocks_and_record):
    """The pathways with what the branch adds to them."""
    updates = branch(pathways, *clocks_and_record)
    return pathways | {name: pathways[name] + update for name, update in updates.items()}


def test_equals_torchs_multi_head_attention_on_the_joined_tokens():
    attention = layer(positions="none")
    pathways = clip()
    reference = nn.MultiheadAttention(16, 2, batch_first=True).eval()
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat([attention.to_q.weight, attention.to_kv.weight]))
        reference.in_proj_bias.copy_(torch.cat([attention.to_q.bias, attention.to_kv.bias]))
        reference.out_proj.weight.copy_(torch.eye(16))
        reference.out_proj.bias.zero_()
        tokens = torch.cat([attention.tokens(name, pathways[name]) for name in pathways], dim=2).flatten(0, 1)
        mixed = reference(tokens, tokens, tokens, need_weights=False)[0]
        branch = rearrange(attention.leave["fast"](mixed[:, 4:]), "(b h w) t c -> b c t h w", b=2, h=3)
        out = added(attention, pathways, times())
    torch.testing.assert_close(out["fast"], pathways["fast"] + branch, atol=1e-5, rtol=0)


@pytest.mark.parametrize("keys", SPATIAL_CONTEXTS)
@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("scope", SCOPES)
def test_fused_and_explicit_attention_agree(scope, window, positions, keys):
    attention, pathways, into = layer(scope, window, positions, keys), clip(), Intermediates()
    for leave in attention.leave.values():
        leave.norm = nn.Identity()  # it divides by small spreads, which makes rounding errors large
    with torch.no_grad():
        fused = added(attention, pathways, times())
        explicit = added(attention, pathways, times(), into, "res4")
    for name in pathways:
        torch.testing.assert_close(fused[name], explicit[name], atol=1e-6, rtol=1e-6)
    weights = into.attention["res4"].weights
    assert weights.shape[:3] == (2, 1 if keys == "frame_to_frame" else 9, 2)
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))


@torch.no_grad()
def test_more_places_than_a_kernel_takes_are_done_in_parts(monkeypatch):
    attention, pathways = layer(window=9), clip()
    whole = added(attention, pathways, times())
    monkeypatch.setattr(attention_module, "PLACES_AT_ONCE", 7)  # of 18
    for name, x in added(attention, pathways, times()).items():
        torch.testing.assert_close(x, whole[name], atol=1e-6, rtol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize(
    ("keys", "sees"),
    [
        ("place", {(1, 1)}),
        ("neighbourhood", {(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3)}),
        ("frame", {(h, w) for h in range(4) for w in range(4)}),
        ("frame_to_frame", {(h, w) for h in range(4) for w in range(4)}),
        ("joint", {(h, w) for h in range(4) for w in range(4)}),
    ],
)
def test_keys_lie_where_their_name_says(keys, sees):
    """Which places of frame 15 reach a query of frame 0."""
    query = (2, 2) if keys == "neighbourhood" else (1, 1)
    attention = layer(keys=keys)
    pathways = {"slow": torch.randn(1, 12, 4, 4, 4), "fast": torch.randn(1, 6, 16, 4, 4)}
    before = added(attention, pathways, times())["fast"][0, :, 0, *query]
    reached = set()
    for h in range(4):
        for w in range(4):
            fast = pathways["fast"].clone()
            fast[:, :, 15, h, w] += torch.randn(6)
            after = added(attention, pathways | {"fast": fast}, times())["fast"][0, :, 0, *query]
            reached |= {(h, w)} if (after - before).abs().max() > 1e-7 else set()
    assert reached == sees


def test_at_the_border_a_neighbourhood_moves_inwards():
    place = Neighbourhood.places(4, 5)
    assert place[0].tolist() == place[6].tolist() == [0, 1, 2, 5, 6, 7, 10, 11, 12]
    assert place[19].tolist() == place[13].tolist() == [7, 8, 9, 12, 13, 14, 17, 18, 19]
    assert Neighbourhood.places(2, 2).tolist() == [[0, 1, 2, 3]] * 4


@torch.no_grad()
def test_joint_attention_equals_torchs_over_all_tokens():
    attention = layer(positions="none", keys="joint")
    pathways = clip()
    reference = nn.MultiheadAttention(16, 2, batch_first=True).eval()
    reference.in_proj_weight.copy_(torch.cat([attention.to_q.weight, attention.to_kv.weight]))
    reference.in_proj_bias.copy_(torch.cat([attention.to_q.bias, attention.to_kv.bias]))
    reference.out_proj.weight.copy_(torch.eye(16))
    reference.out_proj.bias.zero_()
    tokens = torch.cat([attention.tokens(name, pathways[name]) for name in pathways], dim=2)
    mixed = reference(*3 * [tokens.flatten(1, 2)], need_weights=False)[0].unflatten(1, tokens.shape[1:3])
    branch = rearrange(attention.leave["fast"](mixed[:, :, 4:]), "b (h w) t c -> b c t h w", h=3)
    out = added(attention, pathways, times())
    torch.testing.assert_close(out["fast"], pathways["fast"] + branch, atol=1e-5, rtol=0)


@torch.no_grad()
def test_over_one_place_every_choice_of_keys_is_the_same():
    pathways = {name: x[..., :1, :1] for name, x in clip().items()}
    reference = layer()
    for keys in SPATIAL_CONTEXTS:
        attention = layer(keys=keys)
        attention.load_state_dict(reference.state_dict())
        for name, x in added(attention, pathways, times()).items():
            torch.testing.assert_close(x, added(reference, pathways, times())[name], atol=1e-6, rtol=0)


def test_gradients_reach_what_is_recorded_of_keys_at_several_places():
    """A weight summed over a frame's places, raised, raises each of them by its share."""
    attention, pathways, into = layer(keys="joint"), clip(1), Intermediates()
    out = added(attention, pathways, times(), into, "res4")["fast"]
    over_time = into.attention["res4"].weights
    (gradient,) = torch.autograd.grad(out.square().sum(), over_time)
    assert gradient.shape == (1, 9, 2, 20, 20) and gradient.abs().sum() > 0


@torch.no_grad()
def test_a_relative_bias_is_one_number_a_distance_in_frames():
    positions = POSITIONS["relative"](16, 2, 16)
    nn.init.normal_(positions.table_Dh)
    clock = FrameTimes.of_frames(SLOW_FRAMES, 16, 16.0), FrameTimes.of_frames(torch.arange(16), 16, 16.0)
    bias = positions.bias(*clock)
    assert torch.equal(bias[:, 1, 7], bias[:, 2, 12])  # both two frames later
    assert torch.equal(bias[:, 0, 15], positions.table_Dh[-1]) and torch.equal(bias[:, 3, 0], positions.table_Dh[0])
    far = FrameTimes.of_frames(torch.tensor([0, 31]), 32, 16.0)
    assert torch.equal(positions.bias(far, far)[:, 0, 1], positions.table_Dh[-1])


def influence(attention, asking, read, frame):
    """Frames of `asking` whose output changes, at the same place and elsewhere, with one input frame of `read`."""
    pathways = clip(batch=1)
    other = {name: x.clone() for name, x in pathways.items()}
    other[read][:, :, frame, 1, 1] += torch.randn(CHANNELS[read])
    with torch.no_grad():
        before, after = added(attention, pathways, times())[asking], added(attention, other, times())[asking]
    changed = (before - after).abs().amax(dim=(0, 1)) > 1e-6
    if asking == read:
        changed[frame, 1, 1] = False
    return {int(t) for t in changed[:, 1, 1].nonzero()}, bool((changed.sum() - changed[:, 1, 1].sum()).item())


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_lets_through_what_its_name_says(scope):
    for asking in ("slow", "fast"):
        for read, last in (("slow", 3), ("fast", 15)):
            frames, elsewhere = influence(layer(scope), asking, read, last)
            assert bool(frames) == (read in SCOPES[scope].get(asking, ()))
            assert not elsewhere, "attention over time must not mix places"


@pytest.mark.parametrize(("window", "expected"), [(3, {9, 11}), (5, {8, 9, 11, 12}), (9, set(range(6, 15)) - {10})])
def test_a_window_is_counted_in_frames_of_the_clip(window, expected):
    attention = layer(window=window)
    assert influence(attention, "fast", "fast", 10)[0] == expected
    # Slow's third frame is the clip's frame 10
    assert influence(attention, "fast", "slow", 2)[0] == expected | {10}


def test_global_attention_reaches_every_frame():
    assert influence(layer(), "fast", "fast", 0)[0] == set(range(1, 16))
    assert influence(layer(), "slow", "fast", 15)[0] == {0, 1, 2, 3}


def test_without_positions_the_order_of_frames_is_invisible_and_with_them_it_is_not():
    for positions in POSITIONS:
        attention, pathways = layer("fast", positions=positions), clip()
        order = torch.randperm(16)
        with torch.no_grad():
            then_mixed = added(attention, pathways, times())["fast"][:, :, order]
            mixed_first = added(attention, pathways | {"fast": pathways["fast"][:, :, order]}, times())["fast"]
        assert torch.allclose(then_mixed, mixed_first, atol=1e-5) == (positions == "none")


def test_rotary_by_seconds_sees_slows_real_times_and_rotary_by_index_does_not():
    stride = times() | {"slow": FrameTimes.of_frames(torch.tensor([0, 4, 8, 12]), 16, 16.0)}
    for positions, moved in (("rotary_seconds", True), ("rotary_index", False)):
        attention, pathways = layer(positions=positions), clip()
        with torch.no_grad():
            outs = [added(attention, pathways, clock)["fast"] for clock in (times(), stride)]
        assert torch.equal(*outs) != moved


def test_times_of_queries_and_keys_are_the_frames_own():
    into = Intermediates()
    layer("fast_to_slow")(clip(), times(), into, "res5")
    attention = into.attention["res5"]
    assert attention.query_times.tolist() == [0, 5 / 16, 10 / 16, 15 / 16]
    assert attention.key_times.tolist() == [frame / 16 for frame in range(16)]


def test_under_mixed_precision_what_is_recorded_is_still_exact():
    attention, pathways, into = layer(), clip(), Intermediates()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        explicit = added(attention, pathways, times(), into, "res4")
        fused = added(attention, pathways, times())
    weights = into.attention["res4"].weights
    assert weights.dtype == torch.float32
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    torch.testing.assert_close(explicit["slow"], fused["slow"], atol=0.05, rtol=0.02)


def test_the_update_ratio_is_the_branch_over_its_input():
    attention, pathways, into = layer(), clip(), Intermediates()
    out = added(attention, pathways, times(), into, "res4")
    branch = (out["slow"] - pathways["slow"]).flatten(1).norm(dim=1)
    expected = branch / pathways["slow"].flatten(1).norm(dim=1)
    torch.testing.assert_close(into.update_ratio["slow.res4"], expected, atol=1e-5, rtol=1e-4)
    assert set(into.update_ratio) == {"slow.res4", "fast.res4"}


@pytest.mark.parametrize("positions", POSITIONS)
def test_a_fresh_layer_is_the_identity_with_one_zero_factor(positions):
    """Only the last norm's scale holds the branch back: once it is not zero, everything before it learns."""
    attention, pathways = layer(positions=positions, opened=False), clip()
    out = added(attention, pathways, times())
    for name in pathways:
        assert torch.equal(out[name], pathways[name])
    sum(x.square().sum() for x in out.values()).backward()
    assert all(leave.norm.weight.grad.abs().sum() > 0 for leave in attention.leave.values())

    opened = layer(positions=positions)
    sum(x.square().sum() for x in added(opened, pathways, times()).values()).backward()
    assert all(p.grad.abs().sum() > 0 for p in opened.parameters())


def test_learned_positions_stretch_over_other_lengths():
    positions = POSITIONS["learned"](4, 1, 16)
    tokens = torch.zeros(1, 2, 4)
    ends = FrameTimes.of_frames(torch.tensor([0, 31]), 32, 16.0)
    torch.testing.assert_close(positions.add(tokens[None], ends)[0, 0], positions.table_TD[[0, 15]])
    own = FrameTimes.of_frames(torch.tensor([3, 7]), 16, 16.0)
    torch.testing.assert_close(positions.add(tokens[None], own)[0, 0], positions.table_TD[[3, 7]])
