"""Convolution and shift in the attention's place."""

import pytest
import torch
from einops import rearrange
from torch import nn

from hybrid.model.attention_mask import SCOPES, AttentionMask
from hybrid.model.convolution import TemporalConvolution, TemporalShift
from hybrid.model.positions import FrameTimes

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


def layer(kind, scope="both"):
    frame = dict(width=16, mask=AttentionMask(scope, "global"), gain=0.5)
    if kind == "shift":
        return TemporalShift(CHANNELS, **frame).eval()
    return TemporalConvolution(CHANNELS, kernel=kind, **frame).eval()


def reached(branch, asking, read, frame):
    """Frames of `asking` whose output at the same place changes with one input frame of `read`; none elsewhere may."""
    pathways = clip(1)
    other = {name: x.clone() for name, x in pathways.items()}
    other[read][:, :, frame, 1, 1] += torch.randn(CHANNELS[read])
    with torch.no_grad():
        before, after = (branch(x, times()).get(asking) for x in (pathways, other))
    if before is None:
        return set()
    changed = (after - before).abs().amax(dim=(0, 1)) > 1e-7
    if asking == read:
        changed[frame, 1, 1] = False
    assert changed.sum() == changed[:, 1, 1].sum()
    return {int(t) for t in changed[:, 1, 1].nonzero()}


@pytest.mark.parametrize(("kind", "reach"), [(3, 1), (9, 4), ("shift", 1)])
def test_a_kernel_is_counted_in_frames_of_the_clip_whichever_pathway_asks(kind, reach):
    near = set(range(10 - reach, 11 + reach))
    assert reached(layer(kind), "fast", "fast", 10) == near - {10}
    assert reached(layer(kind), "fast", "slow", 2) == near  # Slow's third frame is the clip's frame 10
    slow_near = {t for t, frame in enumerate(SLOW_FRAMES.tolist()) if abs(frame - 9) <= reach}
    assert reached(layer(kind), "slow", "fast", 9) == slow_near


@pytest.mark.parametrize("kind", [3, "shift"])
@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_lets_through_what_its_name_says(kind, scope):
    """Slow's frames are too far apart for these kernels to reach from one to the next."""
    for asking, read, frame in (("slow", "fast", 5), ("fast", "slow", 1), ("fast", "fast", 5)):
        assert bool(reached(layer(kind, scope), asking, read, frame)) == (read in SCOPES[scope].get(asking, ()))


@torch.no_grad()
def test_the_convolution_equals_torchs_on_the_tokens_laid_out_in_time():
    branch, pathways = layer(3), clip()
    line = branch.tokens("fast", pathways["fast"])
    line[:, :, SLOW_FRAMES] += branch.tokens("slow", pathways["slow"])
    filters = branch.convolution.weight[:, 0]  # (D, 3)
    padded = nn.functional.pad(line, (0, 0, 1, 1))
    mixed = sum(padded[:, :, i : i + 16] * filters[:, i] for i in range(3)) + branch.convolution.bias
    update = branch.leave["slow"](nn.functional.gelu(mixed)[:, :, SLOW_FRAMES])
    expected = rearrange(update, "b (h w) t c -> b c t h w", h=3)
    torch.testing.assert_close(branch(pathways, times())["slow"], expected, atol=1e-5, rtol=0)


def test_a_shift_takes_two_channels_of_sixteen_from_each_side():
    x_BSTD = torch.randn(1, 1, 5, 16)
    shifted = layer("shift").along_time(x_BSTD)
    torch.testing.assert_close(shifted[0, 0, 1:, :2], x_BSTD[0, 0, :-1, :2])
    torch.testing.assert_close(shifted[0, 0, :-1, 2:4], x_BSTD[0, 0, 1:, 2:4])
    torch.testing.assert_close(shifted[..., 4:], x_BSTD[..., 4:])
    assert not shifted[0, 0, 0, :2].any() and not shifted[0, 0, -1, 2:4].any()


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("kind", [3, 9, "shift"])
def test_every_parameter_learns(kind, scope):
    branch = layer(kind, scope)
    sum(x.square().sum() for x in branch(clip(), times()).values()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in branch.parameters())
