import copy
import subprocess
import sys

import pytest
import torch
from support import FIRST_DESIGN
from torch import nn

from baselines.slowfast import build_net
from hybrid import create_model, get_entry, list_models
from hybrid.model.hybrid import by_quarters


def pair(**options):
    """A SlowFast that looks trained, and a hybrid that holds its weights.

    Fresh, every residual branch of a SlowFast is zero (its last norm is) and its running statistics are trivial.
    """
    torch.manual_seed(0)
    slowfast = create_model("slowfast", "tiny").train()
    for module in slowfast.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    with torch.no_grad():
        slowfast(torch.randn(4, 3, 16, 64, 64))
    hybrid = create_model("hybrid", "tiny", **options)
    loaded = hybrid.load_state_dict(slowfast.state_dict(), strict=False)
    assert not loaded.unexpected_keys
    assert all(key.startswith(hybrid.new_module_prefixes) for key in loaded.missing_keys)
    return slowfast.eval(), hybrid.eval()


DESIGNS = pytest.mark.parametrize("design", [{}, FIRST_DESIGN], ids=["frames", "branches"])


@DESIGNS
@pytest.mark.parametrize(("frames", "crop"), [(8, 64), (16, 64), (32, 64), (16, 96)])
def test_with_a_slowfasts_weights_it_is_that_slowfast_to_the_last_bit(frames, crop, design):
    slowfast, hybrid = pair(**design)
    clip = torch.randn(2, 3, frames, crop, crop)
    with torch.no_grad():
        assert torch.equal(slowfast(clip), hybrid(clip))


@DESIGNS
def test_after_one_training_step_it_is_not(design):
    slowfast, hybrid = pair(**design)
    clip = torch.randn(4, 3, 16, 64, 64)
    optimizer = torch.optim.SGD(
        [p for n, p in hybrid.named_parameters() if n.startswith(hybrid.new_module_prefixes)], 0.1
    )
    hybrid(clip).square().mean().backward()
    optimizer.step()
    with torch.no_grad():
        assert not torch.equal(slowfast(clip), hybrid(clip))
    # every parameter is in play from the third step on: what a second look corrects lies behind two zeros
    for _ in range(2):
        optimizer.step()
        optimizer.zero_grad()
        hybrid(clip).square().mean().backward()
    silent = [n for n, p in hybrid.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert not silent


def test_weight_decay_spares_embeddings_and_new_modules_learn_as_the_classifier_does():
    model = create_model("hybrid", "tiny", **FIRST_DESIGN | {"frame_mixer": "attention", "positions": "learned"})
    spared = {"frames.positions.table_TD"}
    spared |= {f"frames.read.pathways.{number}.{kind}" for number in (0, 1) for kind in ("weight", "bias")}
    spared |= {f"temporal.{stage}.positions.table_TD" for stage in ("res4", "res5")}
    spared |= {f"temporal.{stage}.pathway.{pathway}" for stage in ("res4", "res5") for pathway in ("slow", "fast")}
    assert model.no_weight_decay() == spared
    depth = model.group_matcher()
    fresh = [depth(key) for key, _ in model.named_parameters() if key.startswith(model.new_module_prefixes)]
    assert set(fresh) == {depth("net.blocks.6.proj.weight")} != {depth("net.blocks.4.multipathway_fusion")}


def test_a_checkpoint_of_the_official_format_makes_hybrid_and_slowfast_one_function(tmp_path):
    """pytorchvideo's own keys in its own envelope; with as many grades as it has classes the logits count too."""
    reference = pair()[0]
    official = build_net("tiny", num_grades=400, in_channels=3)
    official.load_state_dict({k: v for k, v in reference.net.state_dict().items() if "blocks.6" not in k}, strict=False)
    torch.save({"model_state": official.state_dict()}, tmp_path / "official.pyth")
    clip = torch.randn(2, 3, 16, 64, 64)
    for num_grades in (400, 5):
        slowfast, hybrid = (
            create_model(name, "tiny", num_grades=num_grades, pretrained=str(tmp_path / "official.pyth")).eval()
            for name in ("slowfast", "hybrid")
        )
        report = hybrid.load_report
        assert not report.missing and not report.unexpected and len(report.new) == len(hybrid_only(hybrid))
        with torch.no_grad():
            if num_grades == 400:
                assert torch.equal(slowfast(clip), hybrid(clip))
            pooled = [m.forward_head(m.forward_features(clip), pre_logits=True) for m in (slowfast, hybrid)]
        assert torch.equal(*pooled)


def hybrid_only(model):
    return [key for key in model.state_dict() if key.startswith(model.new_module_prefixes)]


@pytest.mark.parametrize(("positions", "table", "length"), [("learned", "table_TD", 32), ("relative", "table_Dh", 63)])
def test_positions_of_a_checkpoint_are_fitted_to_the_models_frames(tmp_path, positions, table, length):
    reference = opened(positions=positions)
    torch.save(reference.state_dict(), tmp_path / "model.pt")
    path = str(tmp_path / "model.pt")
    options = FIRST_DESIGN | {"positions": positions}
    model = create_model("hybrid", "tiny", **options, num_frames=32, pretrained=path).eval()
    assert len(getattr(model.temporal["res4"].positions, table)) == length
    clip = torch.randn(1, 3, 32, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model(clip), reference(clip), atol=1e-5, rtol=1e-4)


def opened(**options):
    """A tiny hybrid of the first design whose added branches are not zero."""
    torch.manual_seed(0)
    model = create_model("hybrid", "tiny", **FIRST_DESIGN | options).eval()
    for name, parameter in model.named_parameters():
        if any(part in name for part in ("leave", "gate", "table")):
            nn.init.normal_(parameter, std=0.1)
    return model


@torch.no_grad()
def test_intermediates_change_no_output_and_carry_real_times():
    model = opened()
    clip = torch.randn(2, 3, 16, 64, 64)
    logits, seen = model.forward_intermediates(clip)
    torch.testing.assert_close(logits, model(clip), atol=1e-6, rtol=0)
    assert list(seen.attention) == ["res4", "res5"]
    assert seen.attention["res4"].weights.shape == (2, 16, 4, 20, 20)
    assert seen.attention["res5"].weights.shape == (2, 4, 4, 20, 20)
    slow, fast = [frame / 16 for frame in (0, 5, 10, 15)], [frame / 16 for frame in range(16)]
    assert seen.attention["res4"].query_times.tolist() == slow + fast
    assert seen.features["slow.res5"].times.tolist() == slow
    assert seen.features["fast.stem"].times.tolist() == fast
    assert len(seen.features) == 10
    for stage in ("res4", "res5"):
        for pathway in ("slow", "fast"):
            assert (seen.update_ratio[f"{pathway}.{stage}"] > 0).all()
            assert seen.attention[stage].update_ratio[pathway] is seen.update_ratio[f"{pathway}.{stage}"]


@torch.no_grad()
@pytest.mark.parametrize(
    ("scope", "queries", "keys"),
    [
        ("both", {"slow": 4, "fast": 16}, {"slow": 4, "fast": 16}),
        ("slow", {"slow": 4}, {"slow": 4}),
        ("fast", {"fast": 16}, {"fast": 16}),
        ("separate", {"slow": 4, "fast": 16}, {"slow": 4, "fast": 16}),
        ("fast_to_slow", {"slow": 4}, {"fast": 16}),
    ],
)
def test_attention_says_which_pathways_its_queries_and_keys_are_of(scope, queries, keys):
    model = opened(scope=scope)
    _, seen = model.forward_intermediates(torch.randn(1, 3, 16, 64, 64))
    assert model.temporal_layers == tuple(seen.attention) == ("res4", "res5")
    for stage, attention in seen.attention.items():
        assert (attention.query_pathways, attention.key_pathways) == (queries, keys)
        assert attention.update_ratio.keys() == queries.keys()
        times = [seen.features[f"{pathway}.{stage}"].times for pathway in attention.query_pathways]
        assert torch.equal(torch.cat(times), attention.query_times)
    assert {name.partition(".")[0] for name in seen.features} == {f.pathway for f in seen.features.values()}


def test_the_logits_have_gradients_with_respect_to_what_was_recorded():
    model = opened()
    logits, seen = model.forward_intermediates(torch.randn(1, 3, 8, 64, 64))
    recorded = [attention.weights for attention in seen.attention.values()]
    recorded += [features.x_BCTHW for features in seen.features.values()]
    assert all(gradient.abs().sum() > 0 for gradient in torch.autograd.grad(logits[0, 0], recorded))


@pytest.mark.parametrize(
    ("stages", "expected"),
    [("none", []), ("res5", ["res5"]), ("res4-5", ["res4", "res5"]), ("res3-5", ["res3", "res4", "res5"])],
)
def test_stages_place_the_attention(stages, expected):
    model = opened(stages=stages)
    assert list(model.forward_intermediates(torch.randn(1, 3, 8, 64, 64))[1].attention) == expected


@torch.no_grad()
@pytest.mark.parametrize(
    "options",
    [
        dict(scope="slow"),
        dict(scope="fast"),
        dict(scope="separate"),
        dict(scope="fast_to_slow"),
        dict(window=3),
        dict(positions="none"),
        dict(positions="learned"),
        dict(positions="rotary_index"),
        dict(positions="relative"),
        dict(stages="none"),
        dict(stages="res5"),
        dict(stages="res3-5"),
        dict(stages="late"),
        dict(mixer="conv3"),
        dict(mixer="conv9"),
        dict(mixer="shift"),
        dict(keys="neighbourhood"),
        dict(keys="frame"),
        dict(keys="frame_to_frame"),
        dict(keys="joint"),
        dict(mlp=2),
        dict(mlp=1, mixer="shift", scope="fast_to_slow"),
        dict(width=32),
        dict(heads=2),
        dict(laterals=False),
        dict(slow_frames="stride"),
        dict(head="pooled"),
        dict(alpha=2),
    ],
    ids=str,
)
def test_every_option_changes_the_function_and_keeps_the_contract(options):
    """Same weights wherever both have them; the option alone makes the difference."""
    default, model = opened(), opened(**options)
    shared = {k: v for k, v in default.state_dict().items() if k in model.state_dict()}
    fitting = {k: v for k, v in shared.items() if v.shape == model.state_dict()[k].shape}
    model.load_state_dict(fitting, strict=False)
    for frames in (8, 16, 32):
        clip = torch.randn(2, 3, frames, 64, 64)
        before = clip.clone()
        logits = model(clip)
        assert logits.shape == (2, 5) and logits.isfinite().all()
        assert torch.equal(clip, before)
        assert not torch.allclose(logits, default(clip), atol=1e-6)


@torch.no_grad()
def test_laterals_off_means_fast_reaches_slow_no_more():
    clip = torch.randn(1, 3, 16, 64, 64)
    other = clip.clone()
    other[:, :, 7] += 1  # a frame that the slow pathway is not given
    for laterals in (True, False):
        model = create_model("hybrid", "tiny", laterals=laterals, stages="none").eval()
        slow, fast = zip(*(model.forward_features(x)[:2] for x in (clip, other)), strict=True)
        assert torch.equal(*slow) == (not laterals)
        assert not torch.equal(*fast)


@torch.no_grad()
def test_the_attention_brings_the_last_frame_into_fasts_first():
    """In the tiny SlowFast no chain of Fast's kernels, 5 and four times 3 frames, leads from one to the other."""
    clip = torch.randn(1, 3, 16, 64, 64)
    other = clip.clone()
    other[:, :, 15] += 1
    for stages, reaches in (("none", False), ("res5", True), ("res4-5", True)):
        model = opened(stages=stages)
        fast, fast_of_other = (model.forward_features(x)[1][:, :, 0] for x in (clip, other))
        assert torch.equal(fast, fast_of_other) != reaches


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(stages="res4"), "stages must be one of"),
        (dict(scope="sideways"), "scope must be one of"),
        (dict(frame_mixer="window7"), "frame_mixer must be one of"),
        (dict(window=7), "window must be one of"),
        (dict(positions="sine"), "positions must be one of"),
        (dict(head="max"), "head must be one of"),
        (dict(slow_frames="random"), "slow_frames must be one of"),
        (dict(width=50), "multiple of heads"),
        (dict(heads=0), "multiple of heads"),
        (dict(laterals="off"), "laterals must be one of True, False"),
        (dict(width=12, heads=4), "even width"),
        (dict(stages="none", window=3, heads=2), "no branch that window, heads"),
        (dict(mixer="conv3", window=3, keys="joint", positions="none", heads=2), "no attention that window, keys"),
        (dict(stages="late", keys="joint"), "no places that keys"),
        (dict(scope="slow", window=3), "nothing but the query"),
        (dict(scope="slow", mixer="shift"), "nothing but the query"),
        (dict(mixer="mamba"), "mixer must be one of"),
        (dict(keys="everywhere"), "keys must be one of"),
        (dict(init="ones"), "init must be one of"),
        (dict(mixer="conv3", width=0), "width must be 1 or more"),
        (dict(drop_path=1), "drop_path must be from 0 to below 1"),
    ],
    ids=str,
)
def test_invalid_options_are_refused_without_building_anything(options, message):
    with torch.device("meta"), pytest.raises(ValueError, match=message):
        create_model("hybrid", "tiny", **FIRST_DESIGN | options)


@pytest.mark.parametrize("name", ["slowfast", "hybrid"])
def test_without_dropout_training_repeats_itself(name):
    clip = torch.randn(2, 3, 8, 64, 64)
    for dropout, same in ((0.0, True), (0.5, False)):
        model = create_model(name, "tiny", dropout=dropout).train()
        assert torch.equal(model(clip), model(clip)) == same


def test_an_unknown_option_is_a_type_error():
    with pytest.raises(TypeError, match="colour"):
        create_model("hybrid", "tiny", colour="blue")


def test_attentive_pooling_is_a_weighted_mean_once_its_gate_opens():
    model = copy.deepcopy(create_model("hybrid", "tiny", head="attentive")).eval()
    pool = model.attentive["fast"]
    nn.init.ones_(pool.gate_C)
    x_BCTHW = torch.randn(2, len(pool.gate_C), 16, 2, 2)
    x_BCTHW[:, :, 9] = 5  # constant over channels: LayerNorm makes it 0, so its score is the bias
    mean_BC = x_BCTHW.mean(dim=(2, 3, 4))
    out_BC = pool(x_BCTHW, mean_BC)
    weight_BhN = pool.score(pool.norm(x_BCTHW.flatten(2).transpose(1, 2))).softmax(dim=1).transpose(1, 2)
    by_head = x_BCTHW.flatten(2).chunk(pool.score.out_features, dim=1)
    expected = torch.cat([(w[:, None] * x).sum(-1) for w, x in zip(weight_BhN.unbind(1), by_head, strict=True)], dim=1)
    torch.testing.assert_close(out_BC, expected, atol=1e-5, rtol=0)
    assert not torch.allclose(out_BC, mean_BC, atol=1e-2)


def test_the_registry_ends_with_the_hybrid():
    assert list_models()[-1] == "hybrid"
    assert list_models("hybrid") == ["hybrid"]
    assert get_entry("hybrid").mean == get_entry("slowfast").mean


def test_importing_the_models_imports_nothing_heavier():
    heavy = ("pytorch_lightning", "wandb", "av", "hydra", "pandas", "sklearn", "matplotlib")
    code = (
        f"import sys, hybrid; hybrid.create_model('hybrid', 'tiny'); sys.exit(any(m in sys.modules for m in {heavy}))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_frames_are_read_off_quarters_of_the_picture():
    """What lies in the lower half of res5 alone is in two of its four quarters, and a step is of its own frames."""
    x_BCTHW = torch.zeros(1, 3, 4, 4, 4)
    x_BCTHW[:, 1, 2, 2:] = 1
    quarters = by_quarters(x_BCTHW).unflatten(2, (3, 2, 2))
    expected = torch.zeros(1, 4, 3, 2, 2)
    expected[0, 2, 1, 1] = 1
    assert torch.equal(quarters, expected)
    for side in (1, 2, 5, 7):
        x_BCTHW = torch.randn(2, 3, 4, side, side)
        pooled = torch.nn.functional.adaptive_avg_pool3d(x_BCTHW, (None, 2, 2)).movedim(2, 1).flatten(2)
        torch.testing.assert_close(by_quarters(x_BCTHW), pooled)
