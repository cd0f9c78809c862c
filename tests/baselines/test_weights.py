"""Weights in the formats they are published in, written here by the reference implementations."""

import pickle
import re
from argparse import Namespace

import numpy as np
import pytest
import timm
import torch
from einops import rearrange
from safetensors.torch import save_file
from torch import nn
from torch.testing import assert_close

from baselines import create_model, get_entry, hub, list_models
from baselines.layers import resize_time
from baselines.registry import KINETICS_MEAN_STD, TORCHVISION_VIDEO_MEAN_STD
from baselines.vivit import steps_of_table
from baselines.weights import load_pretrained

TIMESFORMER = dict(image_size=64, num_frames=8, hidden_size=48, num_hidden_layers=3, num_attention_heads=3)
VIVIT = dict(image_size=64, num_frames=16, hidden_size=64, num_hidden_layers=3, num_attention_heads=4)


COMPILED = ("_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model._orig_mod.", "_orig_mod.model.module.")
"""what torch.compile puts before names, alone and beside other wrappers"""


def clips(channels=3, frames=16, crop=64, batch=1):
    return torch.randn(batch, channels, frames, crop, crop, generator=torch.Generator().manual_seed(1))


def scrambled(module):
    """The module in eval, with weights and batch statistics of which none is a default."""
    torch.manual_seed(0)
    with torch.no_grad():
        for tensor in module.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(0.05 * torch.rand_like(tensor))
    return module.eval()


@torch.no_grad()
def pooled(model, clip):
    return model.forward_head(model.forward_features(clip), pre_logits=True)


# -- files of the libraries


@pytest.mark.parametrize(
    "name, variant",
    [("vit", "vit_tiny_patch16_224"), ("resnet50", "resnet18"), ("swin", "swin_tiny_patch4_window7_224")],
)
def test_timm_safetensors(name, variant, tmp_path):
    reference = scrambled(timm.create_model(variant, num_classes=10))
    save_file(reference.state_dict(), tmp_path / "model.safetensors")
    model = create_model(name, variant=variant, pretrained=str(tmp_path / "model.safetensors")).eval()
    frame = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        expected = reference.forward_head(reference.forward_features(frame), pre_logits=True)
    assert_close(pooled(model, frame.unsqueeze(2).expand(-1, -1, 8, -1, -1)), expected, rtol=1e-5, atol=1e-5)
    head = [f"{model.classifier}.weight", f"{model.classifier}.bias"]
    assert model.load_report.dropped_head == head and not model.load_report.reshaped
    assert set(model.load_report.loaded) | set(head) == set(model.state_dict())


def test_torchvision_vgg():
    """torchvision keeps VGG's hidden layers as matrices; timm, as convolutions."""
    from baselines.checkpoints import under_our_names

    model = create_model("vgg16", "tiny")
    theirs = {"features.0.weight": torch.zeros(1), "classifier.0.weight": torch.zeros(3, 512 * 49)}
    ours = under_our_names(theirs, model)
    assert set(ours) == {"net.features.0.weight", "net.pre_logits.fc1.weight"}
    assert ours["net.pre_logits.fc1.weight"].shape == (3, 512, 7, 7)


def test_torchvision_state_dict(tmp_path):
    from torchvision.models.video import r3d_18

    reference = scrambled(r3d_18(num_classes=5))
    torch.save(reference.state_dict(), tmp_path / "r3d_18.pth")
    model = create_model("r3d", pretrained=str(tmp_path / "r3d_18.pth")).eval()
    clip = clips(crop=64)
    with torch.no_grad():
        assert_close(model(clip), reference(clip), rtol=1e-5, atol=1e-5)
    assert not model.load_report.dropped_head, "five classes fit five grades"


@pytest.mark.parametrize(
    "name, variant, shape",
    [("x3d", "x3d_s", dict(input_clip_length=16, input_crop_size=64)), ("i3d", "i3d_r50", None)],
)
def test_pytorchvideo_model_state(name, variant, shape, tmp_path):
    from pytorchvideo.models.x3d import create_x3d

    if name == "x3d":
        reference = scrambled(create_x3d(model_num_class=400, head_activation=None, **shape))
        options = dict(variant=variant, size="paper")
    else:
        reference = scrambled(create_model("i3d", "tiny", num_grades=400).net)
        options = dict(size="tiny")
    torch.save({"model_state": reference.state_dict()}, tmp_path / "model.pyth")
    model = create_model(name, pretrained=str(tmp_path / "model.pyth"), num_grades=400, **options).eval()
    clip = clips()
    with torch.no_grad():
        assert_close(model(clip), reference(clip).view(1, 400), rtol=1e-5, atol=1e-5)


# -- TimeSformer and ViViT


def hugging_face(kind: str, config: dict, **changes):
    import transformers

    settings = config | dict(intermediate_size=4 * config["hidden_size"], num_labels=5) | changes
    model_type = getattr(transformers, f"{kind}ForVideoClassification")
    return scrambled(model_type(getattr(transformers, f"{kind}Config")(**settings)))


@pytest.mark.parametrize("form", ["folder", "safetensors", "bin"])
@pytest.mark.parametrize("name, kind, config", [("timesformer", "Timesformer", TIMESFORMER), ("vivit", "Vivit", VIVIT)])
def test_hugging_face(name, kind, config, form, tmp_path):
    reference = hugging_face(kind, config)
    path = tmp_path
    if form == "bin":  # transformers' names in memory
        path = tmp_path / "pytorch_model.bin"
        torch.save(reference.state_dict(), path)
    else:  # its names in files
        reference.save_pretrained(tmp_path)
        path = tmp_path / "model.safetensors" if form == "safetensors" else tmp_path
    model = create_model(name, "tiny", num_frames=config["num_frames"], pretrained=str(path)).eval()
    clip = clips(frames=config["num_frames"])
    with torch.no_grad():
        expected = reference(rearrange(clip, "b c t h w -> b t c h w")).logits
        assert_close(model(clip), expected, rtol=1e-5, atol=1e-5)
    assert not model.load_report.unexpected


def test_timesformer_authors_file_of_eight_frames(tmp_path):
    reference = scrambled(create_model("timesformer", "tiny", num_frames=8, num_grades=400))
    state = {f"model.{key}": value for key, value in reference.state_dict().items()}
    torch.save({"epoch": 15, "model_state": state, "optimizer_state": {}, "cfg": "..."}, tmp_path / "authors.pyth")
    model = create_model("timesformer", "tiny", pretrained=str(tmp_path / "authors.pyth")).eval()
    assert model.load_report.reshaped == ["time_embed"]
    assert_close(model.time_embed, resize_time(reference.time_embed, 16))
    assert_close(pooled(model, clips()), pooled(reference, clips()), rtol=1e-5, atol=1e-5)


# -- our own checkpoints, other sizes and channels


@pytest.mark.parametrize("envelope", ["bare", "model", "state_dict", "lightning", "parallel", *COMPILED])
def test_own_checkpoints(envelope, tmp_path):
    reference = scrambled(create_model("slowfast", "tiny"))
    state = reference.state_dict()
    content = {
        "bare": state,
        "model": {"model": state, "epoch": 3},
        "state_dict": {"state_dict": state},
        "lightning": {"state_dict": {f"model.{key}": value for key, value in state.items()}, "epoch": 3},
        "parallel": {f"module.{key}": value for key, value in state.items()},
        **{prefix: {f"{prefix}{key}": value for key, value in state.items()} for prefix in COMPILED},
    }[envelope]
    torch.save(content, tmp_path / "last.ckpt")
    model = create_model("slowfast", "tiny", pretrained=str(tmp_path / "last.ckpt")).eval()
    assert torch.equal(model(clips()), reference(clips()))


@pytest.mark.parametrize("name", list_models())
def test_another_clip_size_is_interpolated_as_on_the_fly(name, tmp_path):
    """A model built for 32 frames of 96 px and given the tables of 16 of 64 px equals that one run on the larger."""
    if name == "mixer":
        pytest.skip("MLP-Mixer has one weight a place: see test_mixer_keeps_its_crop")
    reference = scrambled(create_model(name, "tiny"))
    torch.save(reference.state_dict(), tmp_path / "model.pt")
    model = create_model(name, "tiny", num_frames=32, crop_size=96, pretrained=str(tmp_path / "model.pt")).eval()
    if name == "swin":  # windows shrink to the map, so the last stage's is 3x3 here and 2x2 there
        assert all(key.endswith("relative_position_bias_table") for key in model.load_report.reshaped)
        return
    clip = clips(frames=32, crop=96)
    assert_close(model(clip), reference(clip), rtol=1e-4, atol=1e-5)


def test_mixer_keeps_its_crop(tmp_path):
    torch.save(create_model("mixer", "tiny").state_dict(), tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"of another shape: net.blocks.0.mlp_tokens.fc1.weight \(\(48, 64\)"):
        create_model("mixer", "tiny", crop_size=96, pretrained=str(tmp_path / "model.pt"))


@pytest.mark.parametrize("name", list_models())
def test_one_channel_is_three_equal_ones(name, tmp_path):
    reference = scrambled(create_model(name, "tiny"))
    torch.save(reference.state_dict(), tmp_path / "model.pt")
    model = create_model(name, "tiny", in_channels=1, pretrained=str(tmp_path / "model.pt")).eval()
    grey = clips(channels=1)
    assert_close(model(grey), reference(grey.expand(-1, 3, -1, -1, -1)), rtol=1e-4, atol=1e-4)
    assert model.load_report.reshaped == [f"{path}.weight" for path in model.first_convs]

    torch.save(model.state_dict(), tmp_path / "grey.pt")
    colour = create_model(name, "tiny", pretrained=str(tmp_path / "grey.pt")).eval()
    assert_close(colour(grey.expand(-1, 3, -1, -1, -1)), model(grey), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", list_models())
def test_another_number_of_grades_replaces_the_head_alone(name, tmp_path):
    reference = scrambled(create_model(name, "tiny", num_grades=3))
    torch.save(reference.state_dict(), tmp_path / "model.pt")
    model = create_model(name, "tiny", pretrained=str(tmp_path / "model.pt")).eval()
    assert_close(pooled(model, clips()), pooled(reference, clips()))
    assert {key.rpartition(".")[0] for key in model.load_report.dropped_head} == {model.classifier}
    assert model.get_submodule(model.classifier).out_features == 5


def test_number_of_steps_in_a_vivit_table():
    assert steps_of_table(16 * 196, steps=8, side=14) == 16  # the official file, at 224 px
    assert steps_of_table(16 * 196, steps=8, side=4) == 16  # at 64 px
    assert steps_of_table(8 * 196, steps=8, side=14) == 8
    assert steps_of_table(4 * 784, steps=4, side=7) == 4
    with pytest.raises(ValueError, match="7 positions"):
        steps_of_table(7, 8, 14)


# -- what is refused


def test_refusals_name_the_keys(tmp_path):
    state = create_model("slowfast", "tiny").state_dict()
    gone = "net.blocks.1.multipathway_fusion.norm.weight"
    path = tmp_path / "model.pt"

    torch.save({key: value for key, value in state.items() if key != gone}, path)
    with pytest.raises(ValueError, match=f"missing: {re.escape(gone)}"):
        create_model("slowfast", "tiny", pretrained=str(path))

    torch.save(state | {gone: torch.zeros(3)}, path)
    with pytest.raises(ValueError, match=re.escape(f"of another shape: {gone} ((3,) in the checkpoint, (16,) here)")):
        create_model("slowfast", "tiny", pretrained=str(path))

    torch.save(state | {"net.extra": torch.zeros(3)}, path)
    assert create_model("slowfast", "tiny", pretrained=str(path)).load_report.unexpected == ["net.extra"]

    with pytest.raises(ValueError, match="no checkpoint of ViT: none of its"):
        create_model("vit", "tiny", pretrained=str(path))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(number, tmp_path):
    state = create_model("vgg16", "tiny").state_dict()
    state["net.features.0.weight"][0, 0] = number
    torch.save(state, tmp_path / "model.pt")
    with pytest.raises(ValueError, match="1 of its .* NaN or infinite weights .'net.features.0.weight'"):
        create_model("vgg16", "tiny", pretrained=str(tmp_path / "model.pt"))


def test_no_model_has_weights_of_its_own_that_would_be_refused():
    for name in list_models():
        assert all(value.isfinite().all() for value in create_model(name, "tiny").state_dict().values()), name


def test_a_refused_checkpoint_leaves_the_model_alone(tmp_path):
    model = create_model("i3d", "tiny")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = {key: value + 1 for key, value in before.items()}
    state.popitem()
    state["net.blocks.0.conv.weight"] = torch.zeros(2)
    torch.save(state, tmp_path / "model.pt")
    with pytest.raises(ValueError, match="net.blocks.0.conv.weight"):
        load_pretrained(model, get_entry("i3d"), str(tmp_path / "model.pt"))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize(
    "content, complaint",
    [
        (None, "no checkpoint .*nothing.pt"),
        (b"", "is empty"),
        (b"not a checkpoint", "or not a whole one"),
        ([1, 2], "holds a list"),
        ({"epoch": 3}, "holds no weights"),
        ({}, "holds no weights"),
        (pytest, "holds objects of os.system, and to load such is to run code"),  # would import a module
        (
            {"state_dict": {}, "hyper_parameters": Namespace(epochs=3)},
            "beside tensors it holds objects of argparse.Namespace",
        ),
    ],
)
def test_files_that_are_no_checkpoints(content, complaint, tmp_path):
    path = tmp_path / "nothing.pt"
    if content is pytest:
        path.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(ValueError, match=complaint) as error:
        create_model("x3d", "tiny", pretrained=str(path))
    assert "nothing.pt" in str(error.value) and "\n" not in str(error.value)
    assert "weights_only" not in str(error.value) and "\x1b" not in str(error.value)


def test_programs_are_no_checkpoints_though_torch_wrote_them(tmp_path, recwarn):
    module = nn.Linear(2, 2)
    torch.jit.save(torch.jit.trace(module, torch.zeros(1, 2)), tmp_path / "script.pt")
    torch.export.save(torch.export.export(module, (torch.zeros(1, 2),)), tmp_path / "exported.pt2")
    (tmp_path / "pickled.pt").write_bytes(pickle.dumps({"epoch": 3}, protocol=4))
    torch.save(module.state_dict(), tmp_path / "newer.pt", pickle_protocol=4)
    np.savez(tmp_path / "table.npz", epoch=3)
    recwarn.clear()
    for name, what in {
        "script.pt": "is a TorchScript file",
        "exported.pt2": "is an exported model",
        "pickled.pt": "was pickled by a newer protocol than torch reads",
        "newer.pt": "was pickled by a newer protocol than torch reads",
        "table.npz": "is a zip file of another kind",
    }.items():
        with pytest.raises(ValueError, match=f"{name} {what}"):
            create_model("x3d", "tiny", pretrained=str(tmp_path / name))
    assert not recwarn.list, "nothing of torch's own is said beside"


@pytest.mark.parametrize(
    "other, told",
    [
        (lambda weight: weight.to("meta"), "without content"),
        (lambda weight: torch.quantize_per_tensor(weight, 0.1, 0, torch.qint8), "quantised"),
        (lambda weight: weight.to_sparse(), "sparse"),
        (lambda weight: weight.long(), "of int64"),
        (lambda weight: weight.to(torch.complex64), "of complex64"),
    ],
)
def test_weights_are_dense_numbers_of_floating_point(other, told, tmp_path):
    state = create_model("x3d", "tiny").state_dict()
    key = next(key for key in state if key.endswith("conv.weight"))
    torch.save(state | {key: other(state[key])}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=f"model.pt: '{key}' is {told}"):
        create_model("x3d", "tiny", pretrained=str(tmp_path / "model.pt"))


def test_folders_and_safetensors_that_are_no_checkpoints(tmp_path):
    with pytest.raises(ValueError, match="holds neither of model.safetensors"):
        create_model("x3d", "tiny", pretrained=str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(ValueError, match="no readable safetensors"):
        create_model("x3d", "tiny", pretrained=str(tmp_path))


# -- official weights, without the network


def test_official_is_of_the_paper_size_alone():
    for name in list_models() + list_models("frozen"):
        with pytest.raises(ValueError, match="do not fit size='tiny'"):
            create_model(name, "tiny", pretrained="official")


@pytest.mark.parametrize("name", list_models() + list_models("frozen"))
def test_without_network_the_message_says_what_to_fetch_and_where_to_put_it(name, tmp_path, monkeypatch):
    def unreachable(what):
        raise OSError("no network")

    monkeypatch.setattr(hub, "download", unreachable)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    for weights in get_entry(name).official.values():
        with pytest.raises(ValueError) as error:
            hub.fetch(weights)
        message = str(error.value)
        assert weights.name in message and hub.address(weights) in message
        assert hub.address(weights).startswith("https://")
        assert str(hub.cached_file(weights)) in message


def test_a_file_put_by_hand_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    weights = get_entry("resnet50").official["resnet18"]
    place = hub.cached_file(weights)
    assert place == tmp_path / "checkpoints" / "timm--resnet18.a1_in1k.safetensors"
    place.parent.mkdir()
    reference = timm.create_model("resnet18")
    save_file(reference.state_dict(), place)
    model = create_model("resnet50", variant="resnet18", pretrained="official")
    assert torch.equal(model.net.conv1.weight, reference.conv1.weight)
    assert model.load_report.source == "timm resnet18.a1_in1k"


def test_torch_and_its_libraries_share_the_place():
    assert hub.cached_file(get_entry("slowfast").official["slowfast_r50"]).name == "SLOWFAST_8x8_R50.pyth"
    assert hub.cached_file(get_entry("r3d").official["r3d_18"]).name == "r3d_18-b3b3357e.pth"


def test_a_variants_inputs_are_those_its_own_weights_were_trained_on():
    entry = get_entry("r2plus1d")
    assert entry.mean_std() == entry.mean_std("r2plus1d_18") == TORCHVISION_VIDEO_MEAN_STD
    assert entry.mean_std("r2plus1d_r50") == KINETICS_MEAN_STD
    assert get_entry("late_fusion").mean_std() == KINETICS_MEAN_STD, "it has no official weights of its own"


def test_facts_are_the_libraries_own():
    for name in list_models() + list_models("frozen"):
        entry = get_entry(name)
        for variant, weights in entry.official.items():
            mean, std = entry.mean_std(variant)
            if weights.library == "timm":
                facts = timm.get_pretrained_cfg(weights.name)
                assert (facts.mean, facts.std, facts.input_size[1]) == (mean, std, weights.crop)
                assert facts.license.lower() == weights.licence.lower()
            elif weights.library == "torchvision":
                facts = hub.torchvision_weights(weights.name)
                transform = facts.transforms()
                assert (tuple(transform.mean), tuple(transform.std)) == (mean, std)
                assert transform.crop_size == [weights.crop, weights.crop]
                assert f"frame_rate={weights.rate}" in facts.meta["_docs"]
                assert f"clip_len={weights.frames}" in facts.meta["_docs"]
