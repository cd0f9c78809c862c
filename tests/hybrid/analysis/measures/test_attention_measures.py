import numpy as np
import pytest
import torch
from models_under_test import lively
from support import FIRST_DESIGN
from toy_models import Toy, noise_clips, under_test

from baselines import ClipModel
from baselines.contract import TemporalAttention
from hybrid import create_model, list_models
from hybrid.analysis.measures.attention import AttentionDistance, AttentionEntropy, branches

UNIFORM = torch.full((16, 16), 1 / 16)
DIAGONAL = torch.eye(16)
EVERY = torch.arange(16.0)


def attending(layers: dict[str, torch.Tensor], ratios: dict[str, float] | None = None, query=EVERY, pathways=None):
    """A model whose layers have these maps (Tq, Tk) at 4 places, in 2 heads, whatever the clip.

    ratios: by layer, of every pathway's update. pathways: how many queries are of each, where there are several.
    """

    def look(clip_BCTHW, into):
        batch = len(clip_BCTHW)
        for layer, map_QK in layers.items():
            weights = map_QK.expand(batch, 4, 2, *map_QK.shape)
            ratio_B = torch.full((batch,), (ratios or {}).get(layer, 1.0))
            queries = pathways or {"": len(query)}
            into.attention[layer] = TemporalAttention(
                weights,
                query / ClipModel.frame_rate,
                EVERY / ClipModel.frame_rate,
                query_pathways=queries,
                update_ratio=dict.fromkeys(queries, ratio_B),
            )

    return under_test(Toy(look=look))


def distance_of(tested):
    return AttentionDistance().measure(tested, noise_clips())


def test_uniform_attention_has_the_distance_of_the_uniform_map():
    found = distance_of(attending({"blocks.0": UNIFORM}))
    np.testing.assert_allclose(found.figures["distance (s)"], (16**2 - 1) / (3 * 16) / 16, rtol=1e-5)  # 5.3 frames
    np.testing.assert_allclose(found.figures["uniform (s)"], found.figures["distance (s)"], rtol=1e-6)
    matrix = found.matrices["distance (s)"]
    assert matrix.rows == ("blocks.0",) and matrix.columns == ("head 0", "head 1", "uniform")


def test_diagonal_attention_goes_nowhere():
    assert distance_of(attending({"blocks.0": DIAGONAL})).figures["distance (s)"] == pytest.approx(0)


def test_layers_count_by_what_they_add():
    """Three quarters of what is added is uniform, the rest diagonal, and a map that adds nothing says nothing."""
    maps = {"blocks.0": UNIFORM, "blocks.1": DIAGONAL, "blocks.2": DIAGONAL.flip(0)}
    ratios = {"blocks.0": 0.3, "blocks.1": 0.1, "blocks.2": 0.0}
    found = distance_of(attending(maps, ratios))
    np.testing.assert_allclose(found.figures["distance (s)"], 0.75 * 5.3125 / 16, rtol=1e-5)
    np.testing.assert_allclose(found.figures["update ratio"], 0.4 / 3, rtol=1e-5)
    np.testing.assert_allclose(found.matrices["update ratio"].value_RC, [[0.3], [0.1], [0.0]], rtol=1e-5)
    nothing = distance_of(attending(maps, dict.fromkeys(ratios, 0.0)))
    assert np.isnan(nothing.figures["distance (s)"]).all()


def test_a_layer_of_two_pathways_is_two_branches():
    """Slow asks first, at frames 0, 5, 10, 15, and looks at the first frame alone; each of Fast's sees itself."""
    slow_QK = torch.zeros(4, 16)
    slow_QK[:, 0] = 1
    pathways = {"slow": 4, "fast": 16}
    query = torch.cat([torch.tensor([0.0, 5, 10, 15]), EVERY])
    found = distance_of(attending({"res5": torch.cat([slow_QK, DIAGONAL])}, {"res5": 0.2}, query, pathways))
    matrix = found.matrices["distance (s)"]
    assert matrix.rows == ("slow.res5", "fast.res5")
    np.testing.assert_allclose(matrix.value_RC[:, 0], [7.5 / 16, 0], atol=1e-6)
    np.testing.assert_allclose(found.figures["distance (s)"], 7.5 / 16 / 2, rtol=1e-5)


def test_entropy_of_known_maps():
    two_keys = torch.zeros(16, 16)
    two_keys[:, 3:5] = 0.5
    for map_QK, expected in ((UNIFORM, 1), (DIAGONAL, 0), (two_keys, np.log(2) / np.log(16))):
        found = AttentionEntropy().measure(attending({"blocks.0": map_QK}), noise_clips())
        np.testing.assert_allclose(found.figures["entropy"], expected, atol=1e-6)


def test_who_attends_over_time():
    for measure in (AttentionDistance(), AttentionEntropy()):
        assert [name for name in list_models() if measure.applies_to(lively(name).model)] == [
            "timesformer",
            "vivit",
            "rostfine",
            "hybrid",
        ]
        assert not measure.applies_to(create_model("hybrid", "tiny", frame_mixer="conv5"))


def test_the_models_branches_have_the_ratios_they_record():
    clips = noise_clips(side=64)
    for name, options, expected in (
        ("timesformer", {}, "blocks.0"),
        ("vivit", {}, "blocks.0"),
        ("hybrid", {}, "frames.0"),
        ("hybrid", FIRST_DESIGN, "slow.res4"),
    ):
        model = lively(name, **options).model
        _, inside = model.forward_intermediates(clips.clip_NCTHW)
        found = branches(model, inside)
        assert next(iter(found)) == expected
        recorded = [ratio for key, ratio in inside.update_ratio.items() if not key.endswith("spatial")]
        assert all(torch.equal(b.ratio_B, r) for b, r in zip(found.values(), recorded, strict=True))
        assert all(branch.weights.shape[3:] == (len(branch.query_Q), len(branch.key_K)) for branch in found.values())
    assert branches(model, inside)["slow.res4"].query_Q.tolist() == [0, 5, 10, 15]


@pytest.mark.parametrize(
    "options",
    [
        dict(scope="slow"),
        dict(scope="separate", window=5),
        dict(scope="fast_to_slow"),
        dict(keys="joint"),
        dict(stages="late"),
    ],
    ids=str,
)
def test_every_kind_of_hybrid_has_branches(options):
    found = AttentionDistance().measure(lively("hybrid", **FIRST_DESIGN | options), noise_clips(side=64))
    assert (found.figures["distance (s)"] > 0).all() and (found.figures["update ratio"] > 0).all()


@pytest.mark.parametrize("design", [{}, FIRST_DESIGN], ids=["frames", "branches"])
def test_an_untrained_hybrid_has_maps_that_mean_nothing(design):
    fresh = under_test(create_model("hybrid", "tiny", **design), "hybrid")
    found = AttentionDistance().measure(fresh, noise_clips(side=64))
    assert np.isnan(found.figures["distance (s)"]).all() and (found.figures["update ratio"] == 0).all()
