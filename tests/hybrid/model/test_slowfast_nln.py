"""The non-local SlowFast against PySlowFast's definition, written out by loops."""

import pytest
import torch
from torch import nn

from baselines.contract import Intermediates
from hybrid import create_model
from hybrid.model.nonlocal_block import NonLocalBlock


def by_the_definition(block: NonLocalBlock, x_BCTHW: torch.Tensor) -> torch.Tensor:
    """Query by query: weights over every place and frame of the max-pooled clip, one clip."""
    (x_CTHW,) = x_BCTHW

    def pointwise(convolution, x_CN):
        return convolution.weight[:, :, 0, 0, 0] @ x_CN + convolution.bias[:, None]

    channels, frames, height, width = x_CTHW.shape
    square = x_CTHW.unfold(2, 2, 2).unfold(3, 2, 2)
    pooled_CK = square.amax(dim=(-1, -2)).reshape(channels, -1)
    query_DQ = pointwise(block.query, x_CTHW.reshape(channels, -1))
    key_DK, value_DK = pointwise(block.key, pooled_CK), pointwise(block.value, pooled_CK)
    columns = []
    for query_D in query_DQ.T:
        score_K = query_D @ key_DK
        if block.instantiation == "softmax":
            weight_K = (score_K / (channels // 2) ** 0.5).softmax(0)
        else:
            weight_K = score_K / score_K.numel()
        columns.append(value_DK @ weight_K)
    out_CTHW = pointwise(block.out, torch.stack(columns, dim=1)).reshape(channels, frames, height, width)
    norm = block.norm
    scaled = (out_CTHW - norm.running_mean[:, None, None, None]) / (norm.running_var + norm.eps).sqrt()[
        :, None, None, None
    ]
    return x_BCTHW + scaled * norm.weight[:, None, None, None] + norm.bias[:, None, None, None]


@torch.no_grad()
@pytest.mark.parametrize("instantiation", ["dot_product", "softmax"])
def test_a_block_is_what_it_is_in_pyslowfast(instantiation):
    torch.manual_seed(0)
    block = NonLocalBlock(8, instantiation).eval()
    for part in (block.norm.weight, block.norm.bias, block.norm.running_mean):
        nn.init.normal_(part)
    nn.init.uniform_(block.norm.running_var, 0.5, 1.5)
    x = torch.randn(1, 8, 3, 4, 6)
    times = torch.arange(3) / 4
    torch.testing.assert_close(block(x, times), by_the_definition(block, x), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(block(x, times, Intermediates(), "res4.1"), block(x, times), atol=1e-6, rtol=1e-6)


def test_places_and_widths_are_those_of_slowfast_nln_8x8_r50():
    """NONLOCAL.LOCATION [[[], []], [[1, 3], []], [[1, 3, 5], []], [[], []]], inner width half of the outer."""
    with torch.device("meta"):
        model, plain = create_model("slowfast_nln"), create_model("slowfast")
    widths = {name: (b.query.in_channels, b.query.out_channels) for name, b in model.nonlocal_blocks.items()}
    assert widths == dict.fromkeys(["res3_1", "res3_3"], (512, 256)) | dict.fromkeys(
        ["res4_1", "res4_3", "res4_5"], (1024, 512)
    )
    added = sum(p.numel() for p in model.parameters()) - sum(p.numel() for p in plain.parameters())
    # four convolutions of C x C/2 with their biases, and a BatchNorm's two numbers a channel
    assert added == sum(4 * c * c // 2 + 3 * c // 2 + c + 2 * c for c in (512, 512, 1024, 1024, 1024))


def test_with_a_slowfasts_weights_it_is_that_slowfast_to_the_last_bit_and_then_learns():
    torch.manual_seed(0)
    slowfast = create_model("slowfast", "tiny").eval()
    model = create_model("slowfast_nln", "tiny").eval()
    missing = model.load_state_dict(slowfast.state_dict(), strict=False).missing_keys
    assert missing and all(key.startswith(model.new_module_prefixes) for key in missing)
    clip = torch.randn(2, 3, 16, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(clip), slowfast(clip))
    optimizer = torch.optim.SGD(model.nonlocal_blocks.parameters(), 0.1)
    model(clip).square().sum().backward()
    optimizer.step()
    assert not torch.equal(model(clip), slowfast(clip))


@torch.no_grad()
def test_softmax_shows_where_slow_looks_in_time_and_changes_no_output():
    torch.manual_seed(0)
    model = create_model("slowfast_nln", "tiny", instantiation="softmax").eval()
    for block in model.nonlocal_blocks.values():
        nn.init.ones_(block.norm.weight)
    clip = torch.randn(2, 3, 16, 64, 64)
    logits, seen = model.forward_intermediates(clip)
    torch.testing.assert_close(logits, model(clip), atol=1e-6, rtol=0)
    assert {name: tuple(a.weights.shape) for name, a in seen.attention.items()} == {
        "res3.0": (2, 64, 1, 4, 4),
        "res4.0": (2, 16, 1, 4, 4),
    }
    assert seen.attention["res4.0"].query_times.tolist() == [frame / 16 for frame in (0, 5, 10, 15)]
    assert all((ratio > 0).all() for ratio in seen.update_ratio.values())
    for layer, attention in seen.attention.items():
        assert attention.query_pathways == attention.key_pathways == {"slow": 4}
        assert attention.update_ratio["slow"] is seen.update_ratio[f"slow.{layer}"]


def test_other_instantiations_are_refused():
    with torch.device("meta"), pytest.raises(ValueError, match="instantiation must be one of"):
        create_model("slowfast_nln", "tiny", instantiation="gaussian")
