"""What holds for every model there is, at tiny size."""

import functools
import io
import re

import pytest
import torch
from timm.optim import param_groups_layer_decay
from torch.testing import assert_close

from hybrid import create_model, get_entry, list_models

MODELS = list_models(controls=True)
every_model = pytest.mark.parametrize("name", MODELS)


@functools.cache
def shared(name: str) -> torch.nn.Module:
    """One model a name, in eval, no weight of it zero: for tests that leave it as it is.

    Branches that start as zero (TimeSformer's temporal_fc, the last norm of a bottleneck) would hide
    what is behind them, so every parameter is moved a little and BatchNorm has seen something.
    """
    torch.manual_seed(0)
    model = create_model(name, "tiny")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        for module in model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.5, 1.5)
    return model.eval()


def clips(batch=2, channels=3, frames=16, crop=64) -> torch.Tensor:
    return torch.randn(batch, channels, frames, crop, crop, generator=torch.Generator().manual_seed(1))


def run(model, clip_BCTHW):
    with torch.no_grad():
        return model(clip_BCTHW)


@every_model
def test_logits_make_distributions(name):
    logits = run(shared(name), clips())
    assert logits.shape == (2, 5)
    assert logits.isfinite().all()
    assert_close(logits.softmax(dim=1).sum(dim=1), torch.ones(2))
    assert (logits[0] - logits[1]).abs().max() > 1e-6, "two clips, one answer"


@every_model
def test_every_parameter_gets_a_gradient(name):
    model = shared(name)
    model.zero_grad()
    (model(clips()) * torch.randn(2, 5)).sum().backward()
    without = [key for key, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    model.zero_grad()
    assert not without


@every_model
@pytest.mark.parametrize("training", [True, False])
def test_input_is_left_alone(name, training):
    model = create_model(name, "tiny").train(training)
    clip = clips()
    run(model, clip)
    run(model, clip)
    model.forward_intermediates(clip)
    assert torch.equal(clip, clips())


@every_model
def test_eval_is_deterministic_and_by_clip(name):
    model, clip = shared(name), clips(batch=4)
    logits = run(model, clip)
    assert torch.equal(logits, run(model, clip))
    one_by_one = torch.cat([run(model, clip[i : i + 1]) for i in range(4)])
    assert_close(one_by_one, logits, rtol=1e-4, atol=1e-5)


@every_model
def test_any_clip_size_on_one_model(name):
    model = shared(name)
    native = run(model, clips(batch=1))
    for frames, crop in [(8, 64), (32, 64), (8, 96), (8, 112), (16, 128), (8, 160), (8, 192), (8, 224), (16, 224)]:
        logits = run(model, clips(batch=1, frames=frames, crop=crop))
        assert logits.shape == (1, 5) and logits.isfinite().all(), f"{frames} frames of {crop} px"
    assert torch.equal(native, run(model, clips(batch=1))), "a clip of another size left its mark"


@every_model
@pytest.mark.parametrize("frames, crop", [(8, 112), (32, 64), (16, 224)])
def test_built_for_any_clip_size(name, frames, crop):
    model = create_model(name, "tiny", num_frames=frames, crop_size=crop).eval()
    assert run(model, clips(1, frames=frames, crop=crop)).isfinite().all()
    assert run(model, clips(1)).isfinite().all()


@every_model
def test_grey_clips(name):
    model = create_model(name, "tiny", in_channels=1).eval()
    assert run(model, clips(channels=1)).shape == (2, 5)
    with pytest.raises(ValueError, match="1 channels"):
        model(clips(channels=3))


@every_model
def test_number_of_grades(name):
    model = create_model(name, "tiny", num_grades=3).eval()
    assert run(model, clips()).shape == (2, 3) and model.num_grades == 3
    pooled = run_head(model, pre_logits=True)
    model.reset_classifier(7)
    assert run(model, clips()).shape == (2, 7) and model.num_grades == 7
    assert_close(run_head(model, pre_logits=True), pooled)
    assert pooled.shape == (2, model.num_features)


def run_head(model, **options):
    with torch.no_grad():
        return model.forward_head(model.forward_features(clips()), **options)


@every_model
def test_state_dict_round_trip(name):
    buffer = io.BytesIO()
    torch.save(shared(name).state_dict(), buffer)
    buffer.seek(0)
    other = create_model(name, "tiny").eval()
    other.load_state_dict(torch.load(buffer, weights_only=True))
    assert torch.equal(run(other, clips()), run(shared(name), clips()))


@every_model
def test_looking_inside_changes_nothing(name):
    model, clip = shared(name), clips()
    logits, seen = model.forward_intermediates(clip)
    assert_close(logits, run(model, clip), rtol=1e-5, atol=1e-6)
    assert seen.features
    for features in seen.features.values():
        assert features.x_BCTHW.ndim == 5 and len(features.times) == features.x_BCTHW.shape[2]
    for attention in seen.attention.values():
        queries, keys = len(attention.query_times), len(attention.key_times)
        assert attention.weights.ndim == 5 and attention.weights.shape[-2:] == (queries, keys)
        assert (sum(attention.query_pathways.values()), sum(attention.key_pathways.values())) == (queries, keys)
        assert attention.update_ratio.keys() == attention.query_pathways.keys()
        assert all(ratio_B.shape == (2,) for ratio_B in attention.update_ratio.values())
    assert set(model.temporal_layers) <= set(seen.attention)
    maps = [a.weights for a in seen.attention.values()] + list(seen.spatial_attention.values())
    assert all(weights.ndim == 5 for weights in maps)
    assert all(weights.ndim == 4 for weights in seen.joint_attention.values())
    for weights in maps + list(seen.joint_attention.values()):
        assert_close(weights.sum(dim=-1), torch.ones(weights.shape[:-1]), rtol=1e-5, atol=1e-5)
    times = [f.times for f in seen.features.values()] + [a.key_times for a in seen.attention.values()]
    assert all(((t >= 0) & (t <= 15 / model.frame_rate)).all() for t in times)


@every_model
def test_what_is_seen_lies_on_the_way_to_the_logits(name):
    model = shared(name)
    logits, seen = model.forward_intermediates(clips(batch=1))
    recorded = {f"features {key}": f.x_BCTHW for key, f in seen.features.items()}
    if any(key.endswith("cls_token") for key, _ in model.named_parameters()):
        recorded.popitem()  # behind the last layer only the class token goes on
    if seen.joint_attention:  # attention over time is then a sum over it
        recorded |= {f"joint attention {key}": weights for key, weights in seen.joint_attention.items()}
    else:
        recorded |= {f"attention {key}": a.weights for key, a in seen.attention.items()}
    recorded |= {f"spatial attention {key}": weights for key, weights in seen.spatial_attention.items()}
    gradients = torch.autograd.grad(logits.sum(), list(recorded.values()), allow_unused=True)
    assert not [key for key, g in zip(recorded, gradients, strict=True) if g is None or not g.abs().max() > 0]


@every_model
def test_layer_wise_learning_rates(name):
    """timm's helper orders the layers: the classifier learns fastest, what sees pixels slowest."""
    model = shared(name)
    groups = param_groups_layer_decay(model, layer_decay=0.5, no_weight_decay_list=model.no_weight_decay())
    scale = {id(p): group["lr_scale"] for group in groups for p in group["params"]}
    assert len(scale) == len(list(model.parameters()))
    named = dict(model.named_parameters())
    first = scale[id(named[f"{model.first_convs[0]}.weight"])]
    last = {scale[id(parameter)] for key, parameter in named.items() if key.startswith(f"{model.classifier}.")}
    assert last == {1.0} and first == min(scale.values()) and first <= 0.25
    assert model.no_weight_decay() <= set(named)


@every_model
def test_wrong_clips_and_options_are_refused(name):
    model = shared(name)
    for clip, complaint in [
        (clips()[0], "shape"),
        (clips(channels=1), "3 channels"),
        (clips(frames=7), "frames"),
        (clips(crop=100), "multiple of 16"),
        (clips(crop=32), "multiple of 16"),
    ]:
        with pytest.raises(ValueError, match=complaint):
            model(clip)
    with pytest.raises(TypeError, match="no_such_option"):
        create_model(name, "tiny", no_such_option=1)


@every_model
def test_entry_is_complete(name):
    entry = get_entry(name)
    assert all([entry.title, entry.reference, entry.origin, entry.licence, entry.tiny])
    assert len(entry.mean) == len(entry.std) == 3


@every_model
def test_parameters_at_paper_size(name):
    with torch.device("meta"):  # shapes without memory
        model = create_model(name)
    assert sum(p.numel() for p in model.parameters()) == get_entry(name).parameters


@every_model
def test_checkpoint_paths_exist(name):
    model = shared(name)
    assert model.get_submodule(model.classifier).out_features == 5
    assert all(model.get_submodule(path).in_channels == 3 for path in model.first_convs)
    seen = [key for key, p in model.named_parameters() if p.ndim in (4, 5) and p.shape[1] == 3]
    assert [f"{path}.weight" for path in model.first_convs] == seen


@pytest.mark.parametrize(
    "name, variant",
    [(name, variant) for name in MODELS for variant in list(get_entry(name).official)[1:]],
)
def test_variants(name, variant):
    with torch.device("meta"):
        model, default = create_model(name, variant=variant), create_model(name)
    assert [p.shape for p in model.parameters()] != [p.shape for p in default.parameters()] or variant == "x3d_s"
    with pytest.raises(ValueError, match="no tiny size"):
        create_model(name, "tiny", variant=variant)
    with pytest.raises(ValueError, match=f"must be one of .*{variant}"):
        create_model(name, variant="no_such_variant")


def test_the_papers_models_its_authors_next_one_and_the_hybrid_stand_in_this_order():
    names = list_models()
    assert [get_entry(name).paper_mse is not None for name in names] == [True] * 13 + [False] * 2
    assert [name for name in names if get_entry(name).after_paper] == names[13:14] == ["rostfine"]
    assert names[14] == "hybrid"
    later = {name: get_entry(name).wacv_mse for name in names if get_entry(name).wacv_mse is not None}
    assert len(later) == 9 and min(later, key=later.get) == "rostfine" and later["rostfine"] == 1.104


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="vgg16"):
        create_model("vgg61")
    with pytest.raises(ValueError, match="paper"):
        create_model("vgg16", "huge")
    with pytest.raises(ValueError, match="no family"):
        list_models("films")
    with pytest.raises(ValueError, match="2 or more"):
        create_model("vgg16", "tiny", num_grades=1)


@pytest.mark.parametrize("name", [*list_models(), *list_models("frozen")])
def test_an_option_of_the_wrong_kind_is_named(name):
    numbers = [option for option, kinds in get_entry(name).options().items() if kinds <= {"int", "float", "None"}]
    assert numbers or name in ("r3d", "r2plus1d")
    for option in numbers:
        for value in ("x", True):
            with pytest.raises(ValueError, match=f"{option} must be a number, not {value!r}"):
                create_model(name, "tiny", **{option: value})
        if option.startswith("drop"):
            with pytest.raises(ValueError, match=f"{option} must be from 0 to below 1, not 1.0"):
                create_model(name, "tiny", **{option: 1.0})


@pytest.mark.parametrize("name", list_models())
def test_an_option_that_there_is_not_is_met_by_those_there_are(name):
    options = get_entry(name).options()
    meant = ", did you mean 'window'" if "window" in options else ""
    with pytest.raises(
        TypeError, match=re.escape(f"{name} has no option 'windwo'{meant}; it has {', '.join(options) or 'none'}")
    ):
        create_model(name, "tiny", windwo=5)
    assert not {"size", "num_grades", "shape", "options"} & set(options)
