"""Attention Rollout and Transformer Explainability against the whole product of matrices, built place by place."""

import pytest
import torch
from einops import rearrange
from models_under_test import lively, noise
from support import FIRST_DESIGN
from torch.testing import assert_close

from hybrid.analysis.attributions.attention_flow import (
    AttentionRollout,
    Mixing,
    attention_layers,
    before_attention,
    class_token_row,
    speaking_for,
    through_attention,
)
from hybrid.analysis.attributions.grad_cam import GradCAM, look_inside, top_grade
from hybrid.analysis.registry import ATTRIBUTIONS


def dense(layer: Mixing, frames: int, places: int) -> torch.Tensor:
    """A layer of divided attention on all tokens, class token first, then by frame: (B, 1 + T N, 1 + T N)."""
    whole = torch.zeros(len(layer.M), 1 + frames * places, 1 + frames * places)

    def at(t: int, n: int) -> int:
        return 1 + t * places + n

    for t in range(frames):
        for n in range(places):
            if layer.over_time:
                for u in range(frames):
                    whole[:, at(t, n), at(u, n)] = layer.M[:, n, t, u]
                continue
            whole[:, 0, at(t, n)] = layer.M[:, t, 0, 1 + n]
            whole[:, at(t, n), 0] = layer.M[:, t, 1 + n, 0]
            for m in range(places):
                whole[:, at(t, n), at(t, m)] = layer.M[:, t, 1 + n, 1 + m]
        if not layer.over_time:
            whole[:, 0, 0] += layer.M[:, t, 0, 0]
    keep = layer.keep_B[:, None].repeat(1, 1 + frames * places)
    if layer.over_time:
        keep[:, 0] = 1
    return whole + torch.diag_embed(keep)


def class_row_of_product(layers: list[Mixing], frames: int, places: int) -> torch.Tensor:
    R = torch.eye(1 + frames * places).expand(len(layers[0].M), -1, -1)
    for layer in layers:
        R = dense(layer, frames, places) @ R
    return R[:, 0, 1:].unflatten(1, (frames, places))


@torch.no_grad()
@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("model, frames", [("vit", 1), ("timesformer", 8)])
def test_rollout_is_the_product_of_its_layers(model, frames, measured):
    tested = lively(model)
    _, inside = tested.model.forward_intermediates(noise())
    layers = [AttentionRollout(measured).mixing(*layer, inside) for layer in attention_layers(inside).items()]
    row_BTHW = class_token_row(layers, inside)
    places = row_BTHW.shape[2] * row_BTHW.shape[3]
    whole = [dense(layer, frames, places) for layer in layers]
    for matrix in whole:
        assert_close(matrix.sum(dim=2), torch.ones(2, 1 + frames * places), msg="rows of a rollout's layer sum to 1")
    assert_close(rearrange(row_BTHW, "b t h w -> b t (h w)"), class_row_of_product(layers, frames, places))


@torch.no_grad()
def test_rollout_over_all_tokens_at_once_is_abnar_and_zuidemas():
    _, inside = lively("vivit").model.forward_intermediates(noise())
    R = torch.eye(65).expand(2, -1, -1)
    for weights in inside.joint_attention.values():
        R = (0.5 * weights.mean(dim=1) + 0.5 * torch.eye(65)) @ R
    layers = [AttentionRollout().mixing(*layer, inside) for layer in attention_layers(inside).items()]
    assert_close(class_token_row(layers, inside).flatten(1), R[:, 0, 1:])


@torch.no_grad()
def test_convits_class_token_joins_late():
    _, inside = lively("convit").model.forward_intermediates(noise())
    R = torch.eye(65).expand(2, -1, -1)
    for weights in inside.spatial_attention.values():
        A = torch.eye(65).repeat(2, 1, 1)
        size = weights.shape[-1]
        A[:, 65 - size :, 65 - size :] = 0.5 * weights[:, 0].mean(dim=1) + 0.5 * torch.eye(size)
        R = A @ R
    layers = [AttentionRollout().mixing(*layer, inside) for layer in attention_layers(inside).items()]
    assert_close(class_token_row(layers, inside).flatten(1), R[:, 0, 1:])


def test_measured_rollout_follows_what_the_branches_add():
    """A branch that adds nothing leaves the class token alone; one that adds as much as there was is the half."""
    _, inside = lively("vit").model.forward_intermediates(noise())
    for ratio, expected in ((0.0, 0.0), (1.0, None)):
        inside.update_ratio = {name: torch.full((2,), ratio) for name in inside.update_ratio}
        layers = attention_layers(inside).items()
        rows = [
            class_token_row([AttentionRollout(measured).mixing(*layer, inside) for layer in layers], inside)
            for measured in (True, False)
        ]
        assert_close(rows[0], torch.zeros_like(rows[0]) if expected == 0.0 else rows[1])


@pytest.mark.parametrize("model, frames", [("vit", 1), ("timesformer", 8), ("vivit", 1)])
def test_explainability_is_the_papers_update_on_all_tokens(model, frames):
    """R <- R + E R on the whole matrix, the class token's row of it."""
    tested = lively(model)
    logits, inside = look_inside(tested, noise())
    layers = attention_layers(inside)
    speaking = speaking_for(top_grade(logits), list(layers.values()))
    mixing = [Mixing(x.endswith(".temporal"), torch.ones(2), E) for x, E in zip(layers, speaking, strict=True)]
    row = class_token_row(mixing, inside).flatten(1)
    assert row.abs().max() > 0
    if model == "vivit":
        R = torch.eye(65).expand(2, -1, -1)
        for E in speaking:
            R = R + E @ R
        assert_close(row, R[:, 0, 1:])
    else:
        places = row.shape[1] // frames
        assert_close(row, class_row_of_product(mixing, frames, places).flatten(1))


def test_explainability_of_one_layer_by_hand():
    """The answer reads one weight alone, with slope 2 in one of two heads: its half is all there is."""
    A = torch.full((1, 2, 3, 3), 1 / 3, requires_grad=True)
    (E,) = speaking_for(2 * A[:, 0, 0, 2] - 5 * A[:, 1, 0, 1], [A])
    expected = torch.zeros(1, 3, 3)
    expected[0, 0, 2] = 2 / 3 / 2  # the negative one is dropped, and heads are averaged
    assert_close(E, expected)


def test_a_patch_that_alone_is_attended_to_gets_all():
    _, inside = lively("timesformer").model.forward_intermediates(noise())
    spatial = torch.zeros(2, 8, 17, 17)
    spatial[..., 1 + 6] = 1 / 8  # every token reads place 6 of its frame, the class token's copies averaged
    spatial[:, :, 1:, 1 + 6] = 1
    temporal = torch.zeros(2, 16, 8, 8)
    temporal[..., 3] = 1  # every frame reads frame 3
    none = torch.zeros(2)
    row_BTHW = class_token_row([Mixing(True, none, temporal), Mixing(False, none, spatial)], inside)
    assert row_BTHW[:, 3, 1, 2].tolist() == [1, 1] and row_BTHW.sum() == 2


def test_relevance_crosses_the_pathways():
    maps = {"slow": torch.zeros(1, 2, 2, 2), "fast": torch.zeros(1, 8, 2, 2)}
    maps["slow"][0, 1, 0, 1] = 3.0
    E = torch.zeros(1, 4, 10, 10)
    E[0, 1, 1, 2 + 7] = 2.0  # at the place in row 0, column 1 slow's second step reads fast's last
    E[0, 2, 1, 2 + 7] = 9.0  # at another place
    carried = through_attention(maps, E, ("slow", "fast"), ("slow", "fast"))
    assert carried["fast"][0, 7, 0, 1] == 6 and carried["fast"].sum() == 6
    assert_close(carried["slow"], maps["slow"])
    only = through_attention(maps, E[:, :, :2, 2:], ("slow",), ("fast",))
    assert_close(only["fast"], carried["fast"])


@pytest.mark.parametrize("scope", ["both", "slow", "fast", "separate", "fast_to_slow"])
def test_the_hybrids_relevance_is_grad_cam_and_what_attention_brings(scope):
    tested, clip = lively("hybrid", **FIRST_DESIGN, scope=scope), noise(frames=16)
    logits, inside = look_inside(tested, clip)
    maps = before_attention(tested.model, inside, top_grade(logits))
    assert {name: map_BSHW.shape[1] for name, (map_BSHW, _) in maps.items()} == {"slow": 4, "fast": 16}
    explained = ATTRIBUTIONS["transformer_explainability"].relevance(tested, clip)
    apart = GradCAM().by_pathway(tested, clip)
    brought = explained - (apart["slow"] + apart["fast"])
    asking = inside.attention["res5"].query_pathways
    assert brought.min() >= -1e-7
    assert (brought.max() > 0) == any(apart[pathway].sum() > 0 for pathway in asking), "nothing asks where nothing is"
