"""Our ViViT against transformers', with the same weights."""

import pytest
import torch
from einops import rearrange
from torch.testing import assert_close

from baselines.vivit import ViViT, over_time

RENAMES = {
    "patch_embed.proj": "vivit.embeddings.patch_embeddings.projection",
    "cls_token": "vivit.embeddings.cls_token",
    "pos_embed": "vivit.embeddings.position_embeddings",
    "blocks.": "vivit.layers.",
    ".attn.proj": ".attention.o_proj",
    ".norm1": ".layernorm_before",
    ".norm2": ".layernorm_after",
    "norm.": "vivit.layernorm.",
    "head.": "classifier.",
}


def as_theirs(named: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Our tensors by name, under their names; the joint query-key-value projection is three of theirs."""
    theirs = {}
    for name, value in named.items():
        for ours, other in RENAMES.items():
            if ours in name and not (ours == "norm." and not name.startswith("norm.")):
                name = name.replace(ours, other)
        if ".attn.qkv" in name:
            for part, third in zip("qkv", value.chunk(3), strict=True):
                theirs[name.replace(".attn.qkv", f".attention.{part}_proj")] = third
        else:
            theirs[name] = value
    return theirs


@pytest.fixture(scope="module")
def pair():
    from transformers import VivitConfig, VivitForVideoClassification

    torch.manual_seed(0)
    config = VivitConfig(
        image_size=64, num_frames=8, hidden_size=48, num_hidden_layers=3, num_attention_heads=3, intermediate_size=192,
        num_labels=7, attn_implementation="eager",
    )  # fmt: skip
    theirs = VivitForVideoClassification(config).eval()
    shape = dict(num_grades=7, num_frames=8, crop_size=64, in_channels=3)
    ours = ViViT(**shape, patch=16, dim=48, depth=3, heads=3, drop_path=0.1).eval()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_(std=0.1)
    theirs.load_state_dict(as_theirs(ours.state_dict()))
    return ours, theirs


def test_equals_transformers(pair):
    ours, theirs = pair
    clip = torch.randn(2, 3, 8, 64, 64)
    logits, seen = ours.forward_intermediates(clip)
    reference = theirs(rearrange(clip, "b c t h w -> b t c h w"), output_attentions=True)
    assert_close(logits, reference.logits, rtol=1e-5, atol=1e-5)
    assert_close(ours(clip), reference.logits, rtol=1e-5, atol=1e-5)
    assert len(reference.attentions) == 3
    for ours_map, their_map in zip(seen.joint_attention.values(), reference.attentions, strict=True):
        assert_close(ours_map, their_map, rtol=1e-5, atol=1e-6)


def test_gradients_equal_transformers(pair):
    ours, theirs = pair
    clip = torch.randn(2, 3, 8, 64, 64)
    weights = torch.randn(2, 7)
    (ours(clip) * weights).sum().backward()
    (theirs(rearrange(clip, "b c t h w -> b t c h w")).logits * weights).sum().backward()
    mine = as_theirs({name: parameter.grad for name, parameter in ours.named_parameters()})
    for name, parameter in theirs.named_parameters():
        if name.endswith("k_proj.bias"):
            continue  # a softmax does not see it: both are rounding errors around zero
        difference = (mine[name] - parameter.grad).abs().max() / parameter.grad.abs().max()
        assert difference < 1e-5, f"gradient of {name} differs by {difference:.1e} of its largest value"


def test_attention_over_time_sums_the_places_of_a_step():
    """Two steps of two places; token (0, 0) looks at both places of step 1, half and quarter, rest at the class."""
    weights = torch.full((1, 1, 5, 5), 0.2)
    weights[0, 0, 1] = torch.tensor([0.25, 0.0, 0.0, 0.5, 0.25])
    over = over_time(weights, steps=2)
    assert over.shape == (1, 2, 1, 2, 2)
    assert_close(over[0, 0, 0, 0], torch.tensor([0.0, 1.0]))
    assert_close(over[0, 1, 0], torch.full((2, 2), 0.5))
