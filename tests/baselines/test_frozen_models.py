"""Frozen models: what holds for each, and that what they see and say is what their libraries' classes do."""

import io

import pytest
import torch
import torch.nn.functional as F
import transformers
from einops import rearrange
from torch.testing import assert_close

from baselines import create_model, get_entry, list_models, transformers_net
from baselines.attentive import AttentiveProbe, standardised
from baselines.mvit import tiny_mvit

NAMES = list_models("frozen")
OF_TRANSFORMERS = [name for name in NAMES if name != "mvit"]
every_model = pytest.mark.parametrize("name", NAMES)


def clips(batch=2, channels=3, frames=16, crop=64):
    return torch.randn(batch, channels, frames, crop, crop, generator=torch.Generator().manual_seed(1))


def lively(name, **options):
    """In eval, with a probe none of whose weights is zero."""
    torch.manual_seed(0)
    model = create_model(name, "tiny", **options).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def config_of(name):
    backbone = create_model(name, "tiny").backbone
    return getattr(transformers, backbone.config)(**backbone.settings)


def scrambled(net):
    torch.manual_seed(1)
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.add_(0.05 * torch.randn_like(tensor))
    return net.eval()


# -- each of them


def test_they_are_named_when_asked_for_and_change_no_other_list():
    assert NAMES == ["vjepa2", "videoprism", "videomae", "mvit"]
    assert not set(NAMES) & set(list_models(controls=True))


@every_model
@torch.no_grad()
def test_any_clip_gets_its_own_logits(name):
    model = lively(name)
    logits_BK = model(clips())
    assert logits_BK.shape == (2, 5) and (logits_BK[0] - logits_BK[1]).abs().max() > 1e-4
    assert torch.equal(logits_BK, model(clips())), "not the same twice"
    assert_close(model(clips()[:1]), logits_BK[:1], rtol=1e-4, atol=1e-5)
    for frames, crop in [(8, 64), (32, 96), (16, 128)]:
        assert model(clips(1, frames=frames, crop=crop)).isfinite().all(), f"{frames} frames of {crop} px"


@every_model
def test_the_probe_learns_and_nothing_else_is_in_a_checkpoint(name):
    model = lively(name)
    (model.train()(clips()) * torch.randn(2, 5)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())
    assert not any(parameter.requires_grad for parameter in model.net.parameters())
    assert not model.net.training, "the network stays in eval"
    assert {key.partition(".")[0] for key in model.state_dict()} == {"probe"}

    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    buffer.seek(0)
    other = create_model(name, "tiny").eval()
    other.load_state_dict(torch.load(buffer, weights_only=True))
    assert torch.equal(other(clips()), model.eval()(clips())), "a network without weights is the same every time"


@every_model
def test_the_probe_takes_kept_features_for_clips(name):
    model = lively(name)
    features_BTPD = model.forward_features(clips())
    assert features_BTPD.shape == (2, model.backbone.steps, 16, model.num_features)
    assert torch.equal(model.learner(features_BTPD), model(clips()))
    assert_close(features_BTPD.mean(-1), torch.zeros(2, model.backbone.steps, 16), rtol=0, atol=1e-5)
    assert_close(features_BTPD.var(-1, correction=0), torch.ones(2, model.backbone.steps, 16), rtol=0, atol=1e-3)
    assert model.learner is model.probe
    assert lively(name, grid=2).forward_features(clips()).shape[2] == 4
    with pytest.raises(ValueError, match="grid must be 1 to 4"):
        create_model(name, "tiny", grid=5)


@every_model
@torch.no_grad()
def test_frames_are_left_out_or_shown_again_and_grey_is_three_channels(name):
    model, clip = lively(name), clips(frames=32)
    assert_close(model(clip), model(clip[:, :, ::2]))
    assert_close(model(clip[:, :, ::4]), model(clip[:, :, ::4].repeat_interleave(2, dim=2)))
    grey, reference = clips(channels=1), model.net
    model = lively(name, in_channels=1)
    assert_close(model(grey), lively(name)(grey.expand(-1, 3, -1, -1, -1)))
    assert model.net is not reference
    with pytest.raises(ValueError, match="1 channels"):
        model(clips())


@every_model
def test_looking_inside_changes_nothing(name):
    model, clip = lively(name), clips().requires_grad_()
    logits_BK, seen = model.forward_intermediates(clip)
    assert torch.equal(logits_BK, model(clip))
    features = seen.features["network"]
    assert features.x_BCTHW.shape[2] == len(features.times) == model.backbone.steps
    assert 0 <= features.times.min() and features.times.max() <= 15 / model.frame_rate
    assert (features.times.diff() > 0).all()
    inside, outside = torch.autograd.grad(logits_BK.sum(), [features.x_BCTHW, clip])
    assert inside.any() and outside.any(), "an attribution finds no way back"


@every_model
def test_number_of_grades(name):
    model = create_model(name, "tiny", num_grades=3).eval()
    assert model(clips()).shape == (2, 3)
    model.reset_classifier(7)
    assert model(clips()).shape == (2, 7) and model.num_grades == model.probe.num_grades == 7


@every_model
def test_entry_is_complete_and_the_networks_are_the_published_ones(name):
    entry = get_entry(name)
    assert all([entry.title, entry.reference, entry.origin, entry.licence, entry.tiny, entry.official])
    with torch.device("meta"):
        model = create_model(name)
        assert sum(p.numel() for p in model.parameters()) == entry.parameters
        published = model.backbone
        if name in OF_TRANSFORMERS:
            config = getattr(transformers, published.config)(**published.settings)
            encoder = getattr(transformers, published.model)(config)
            count = sum(p.numel() for key, p in encoder.named_parameters() if not key.startswith("predictor."))
            assert f"{count / 1e6:.1f} M" in entry.origin
            assert (config.hidden_size, config.num_attention_heads) == (published.width, published.heads)
    assert entry.weights().crop == published.crop


def test_inputs_are_normalised_as_the_libraries_do():
    vjepa2 = transformers.VJEPA2VideoProcessor
    assert get_entry("vjepa2").mean == tuple(vjepa2.image_mean) and get_entry("vjepa2").std == tuple(vjepa2.image_std)
    videoprism = transformers.VideoPrismProcessor.video_kwargs
    assert not videoprism["do_normalize"] and get_entry("videoprism").mean_std() == ((0, 0, 0), (1, 1, 1))
    assert videoprism["size"]["height"] == create_model("videoprism").backbone.crop


# -- against the libraries


def test_the_probe_is_vjepas():
    """Its authors' as transformers has it, without layers of self-attention before it."""
    config = config_of("vjepa2")
    config.num_pooler_layers = 0
    theirs = scrambled(transformers.VJEPA2ForVideoClassification(config))
    layer, ours = theirs.pooler.cross_attention_layer, AttentiveProbe(48, 3, num_grades=2, in_channels=3)
    pairs = [
        (ours.attention.norm, layer.layer_norm1),
        (ours.norm, layer.layer_norm2),
        (ours.attention.q, layer.cross_attn.q_proj),
        (ours.attention.v, layer.cross_attn.v_proj),
        (ours.mlp[0], layer.mlp.fc1),
        (ours.mlp[2], layer.mlp.fc2),
        (ours.head, theirs.classifier),
    ]
    for mine, published in pairs:
        mine.load_state_dict(published.state_dict())
    ours.attention.k.load_state_dict({"weight": layer.cross_attn.k_proj.weight})
    ours.query.data = theirs.pooler.query_tokens[0, 0]
    tokens_BND = torch.randn(2, 32, 48)
    with torch.no_grad():
        expected_BK = theirs.classifier(theirs.pooler(tokens_BND))
        features_BTPD = standardised(rearrange(tokens_BND, "b (t p) d -> b t p d", t=8))
        assert_close(ours(features_BTPD), expected_BK, rtol=1e-5, atol=1e-5)


def as_published(name):
    """The library's class as its weights are published, and what it says of a clip: (B, N, D), moment by moment."""
    if name == "mvit":
        net, seen = scrambled(tiny_mvit(64)), []
        net.norm.register_forward_hook(lambda module, inputs, output: seen.append(output[:, 1:]))

        def of(clip_BCTHW):
            net(clip_BCTHW)
            return seen.pop()

        return net, of
    kind = {"vjepa2": "VJEPA2Model", "videoprism": "VideoPrismVisionModel", "videomae": "VideoMAEForPreTraining"}[name]
    net = scrambled(getattr(transformers, kind)(config_of(name)))
    encoder = net.videomae if name == "videomae" else net

    def of(clip_BCTHW):
        clip_BTCHW = rearrange(clip_BCTHW, "b c t h w -> b t c h w")
        return encoder(clip_BTCHW).last_hidden_state

    return net, of


@every_model
@torch.no_grad()
def test_features_are_the_librarys_own(name, tmp_path, capsys):
    """Of weights in a file as it is published: saved by the library, VideoMAE's with its decoder."""
    net, of = as_published(name)
    if name == "mvit":
        torch.save(net.state_dict(), tmp_path / "pytorch_model.bin")
    else:
        net.save_pretrained(tmp_path)
    model = create_model(name, "tiny", pretrained=str(tmp_path))
    clip = clips(crop=model.backbone.crop) if name != "videoprism" else clips(crop=96)
    expected_BND = of(model.as_published(clip))
    expected_BTPD = rearrange(expected_BND, "b (t p) d -> b t p d", t=model.backbone.steps)
    assert_close(
        model.forward_features(clip), F.layer_norm(expected_BTPD, expected_BTPD.shape[-1:]), rtol=1e-5, atol=1e-4
    )
    assert "file of SHA-256" in capsys.readouterr().err


def test_videomaes_files_have_older_names(tmp_path):
    """Biases of queries and values were parameters of their own."""
    net, of = as_published("videomae")
    old = {
        key.replace("query.bias", "q_bias").replace("value.bias", "v_bias"): v for key, v in net.state_dict().items()
    }
    torch.save(old, tmp_path / "pytorch_model.bin")
    model = create_model("videomae", "tiny", pretrained=str(tmp_path))
    with torch.no_grad():
        expected_BTPD = standardised(rearrange(of(clips()), "b (t p) d -> b t p d", t=8))
        assert_close(model.forward_features(clips()), expected_BTPD, rtol=1e-5, atol=1e-5)


# -- what is refused


@every_model
def test_weights_that_lack_something_or_are_anothers_are_refused(name, tmp_path):
    state = as_published(name)[0].state_dict()
    gone = [key for key in state if key.endswith("bias") and "decoder" not in key and "predictor" not in key][3]
    torch.save({key: value for key, value in state.items() if key != gone}, tmp_path / "some.pt")
    model = create_model(name, "tiny", pretrained=str(tmp_path / "some.pt"))
    with pytest.raises(ValueError, match=f"missing: {gone.removeprefix('videomae.')}"):
        model(clips())

    torch.save({"weight": torch.zeros(3)}, tmp_path / "others.pt")
    model = create_model(name, "tiny", pretrained=str(tmp_path / "others.pt"))
    with pytest.raises(ValueError, match="do not fit .*missing: "):
        model(clips())
    with pytest.raises(ValueError, match="there is no checkpoint"):
        create_model(name, "tiny", pretrained=str(tmp_path / "none.pt"))


def test_without_transformers_or_with_an_old_one_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(transformers_net, "import_module", lambda name: type("Old", (), {"__version__": "4.45"}))
    with pytest.raises(ValueError, match="transformers 4.45 has no VideoPrismVisionModel"):
        create_model("videoprism", "tiny")(clips())
    monkeypatch.setattr(transformers_net, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'sperm-video-hybrid\[frozen\]'"):
        create_model("vjepa2", "tiny")
