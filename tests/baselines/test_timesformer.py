"""Our TimeSformer against transformers', with the same weights."""

import pytest
import torch
from einops import rearrange
from torch.testing import assert_close

import baselines
from baselines.layers import resize_space, resize_space_time, resize_time
from baselines.timesformer import TimeSformer

SHAPE = dict(num_grades=7, num_frames=8, crop_size=64, in_channels=3)
RENAMES = {
    "patch_embed.proj": "timesformer.embeddings.patch_embeddings.projection",
    "cls_token": "timesformer.embeddings.cls_token",
    "pos_embed": "timesformer.embeddings.position_embeddings",
    "time_embed": "timesformer.embeddings.time_embeddings",
    "blocks.": "timesformer.encoder.layer.",
    ".temporal_attn.qkv": ".temporal_attention.attention.qkv",
    ".temporal_attn.proj": ".temporal_attention.output.dense",
    ".attn.qkv": ".attention.attention.qkv",
    ".attn.proj": ".attention.output.dense",
    ".temporal_norm1": ".temporal_layernorm",
    ".temporal_fc": ".temporal_dense",
    ".norm1": ".layernorm_before",
    ".norm2": ".layernorm_after",
    ".mlp.fc1": ".intermediate.dense",
    ".mlp.fc2": ".output.dense",
    "norm.": "timesformer.layernorm.",
    "head.": "classifier.",
}


def their_name(name: str) -> str:
    for ours, theirs in RENAMES.items():
        if ours in name and not (ours == "norm." and not name.startswith("norm.")):
            name = name.replace(ours, theirs)
    return name


@pytest.fixture(scope="module")
def pair():
    """Our model and theirs with equal weights, all of them random (no branch is zero)."""
    from transformers import TimesformerConfig, TimesformerForVideoClassification

    torch.manual_seed(0)
    config = TimesformerConfig(
        image_size=64, num_frames=8, hidden_size=48, num_hidden_layers=3, num_attention_heads=3, intermediate_size=192,
        num_labels=7, attn_implementation="eager",
    )  # fmt: skip
    theirs = TimesformerForVideoClassification(config).eval()
    ours = TimeSformer(**SHAPE, patch=16, dim=48, depth=3, heads=3, drop_path=0.1).eval()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_(std=0.1)
    theirs.load_state_dict({their_name(name): value for name, value in ours.state_dict().items()})
    return ours, theirs


def test_equals_transformers(pair):
    ours, theirs = pair
    clip = torch.randn(2, 3, 8, 64, 64)
    logits, seen = ours.forward_intermediates(clip)
    reference = theirs(rearrange(clip, "b c t h w -> b t c h w"), output_attentions=True)
    assert_close(logits, reference.logits, rtol=1e-5, atol=1e-5)
    assert_close(ours(clip), reference.logits, rtol=1e-5, atol=1e-5)
    for layer, (ours_map, their_map) in enumerate(
        zip(seen.spatial_attention.values(), reference.attentions, strict=True)
    ):
        their_map = rearrange(their_map, "(b t) h q k -> b t h q k", b=2)
        assert_close(ours_map, their_map, rtol=1e-5, atol=1e-6, msg=f"spatial attention of layer {layer}")


def test_gradients_equal_transformers(pair):
    ours, theirs = pair
    clip = torch.randn(2, 3, 8, 64, 64)
    weights = torch.randn(2, 7)
    (ours(clip) * weights).sum().backward()
    (theirs(rearrange(clip, "b c t h w -> b t c h w")).logits * weights).sum().backward()
    their_gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        reference = their_gradients[their_name(name)]
        difference = (parameter.grad - reference).abs().max() / reference.abs().max()
        assert difference < 1e-5, f"gradient of {name} differs by {difference:.1e} of its largest value"


def test_temporal_attention_is_what_the_block_used(pair):
    """The recorded weights times the values, projected, are the temporal update of the fused path."""
    ours, _ = pair
    block = ours.blocks[1]
    x_BNTD = torch.randn(2, 16, 8, 48)
    fused, _ = block.over_time(x_BNTD, explicit=False)
    _, weights_BNhTT = block.over_time(x_BNTD, explicit=True)
    values = block.temporal_attn.qkv(block.temporal_norm1(x_BNTD))[..., -48:]
    values = rearrange(values, "b n t (h d) -> b n h t d", h=3)
    update = block.temporal_attn.proj(rearrange(weights_BNhTT @ values, "b n h t d -> b n t (h d)"))
    assert_close(block.temporal_fc(update), fused, rtol=1e-5, atol=1e-5)


def test_temporal_attention_sees_one_place_through_time(pair):
    """A change at one place and time moves the first layer's temporal weights of that place alone."""
    ours, _ = pair
    clip = torch.randn(1, 3, 8, 64, 64)
    changed = clip.clone()
    changed[:, :, 5, 16:32, 32:48] += 1.0  # row 1, column 2 of the 4 x 4 grid
    before, after = (ours.forward_intermediates(x)[1].attention["blocks.0"].weights for x in (clip, changed))
    moved = (before - after).abs().amax(dim=(0, 2, 3, 4))
    assert moved.nonzero().flatten().tolist() == [6]


def test_temporal_branch_starts_as_zero():
    model = baselines.create_model("timesformer", "tiny")
    assert all(not block.temporal_fc.weight.any() for block in model.blocks)


def test_position_tables_resize():
    assert resize_space(torch.ones(1, 196, 5), 4).shape == (1, 16, 5)
    assert_close(resize_space(torch.ones(1, 196, 5), 4), torch.ones(1, 16, 5))
    ramp = torch.arange(8.0).view(1, 8, 1)
    assert_close(resize_time(ramp, 16)[0, 1:-1, 0], torch.arange(0.25, 7, 0.5))
    table = (torch.arange(4.0).view(4, 1) + torch.zeros(9)).view(1, 36, 1)  # four steps of a 3 x 3 grid
    assert_close(resize_space_time(table, 4, 4, 3), table)
    resized = resize_space_time(table, 4, 8, 6).view(8, 36)
    assert_close(resized, resize_time(torch.arange(4.0).view(1, 4, 1), 8).view(8, 1).expand(8, 36))
