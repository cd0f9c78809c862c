"""Where nothing is random, every hybrid starts as its SlowFast: all combinations of axes, to the last bit."""

import itertools
from dataclasses import fields

import pytest
import torch
from torch import nn

from baselines.slowfast import build_net
from baselines.weights import load_state
from hybrid import create_model
from hybrid.model.build import make_branch
from hybrid.model.frame_part import FRAME_MIXERS
from hybrid.model.options import HybridOptions
from hybrid.model.positions import FrameTimes


def combinations(*names):
    """Every combination of these axes' values that goes together and starts as zero; the other axes at default."""
    values = {axis.name: axis.metadata["values"] for axis in fields(HybridOptions)}
    found = []
    for chosen in itertools.product(*(values[name] for name in names)):
        try:
            axes = HybridOptions(stages="res4-5", **dict(zip(names, chosen, strict=True)))
        except ValueError:
            continue
        found += [axes] if axes.init != "random" else []
    return found


@torch.no_grad()
@pytest.mark.parametrize(
    ("names", "count"),
    [
        # attention, and the three others, which have neither window nor keys nor positions
        (("mixer", "scope", "window", "keys", "positions"), 5 * 4 * 5 * 5 + 3 * 5),
        (("mixer", "scope", "mlp", "init"), 4 * 5 * 4),
    ],
)
def test_every_combination_of_zero_branches_adds_nothing_to_the_last_bit(names, count):
    channels = {"slow": 12, "fast": 6}
    pathways = {"slow": torch.randn(1, 12, 2, 2, 2), "fast": torch.randn(1, 6, 8, 2, 2)}
    frames = {"slow": torch.tensor([0, 7]), "fast": torch.arange(8)}
    times = {name: FrameTimes.of_frames(frame_T, 8, 16.0) for name, frame_T in frames.items()}
    found = combinations(*names)
    assert len(found) == count
    for axes in found:
        updates = make_branch(axes, "tiny", channels, 8, 0, "res4").eval()(pathways, times)
        assert updates and not any(update.any() for update in updates.values()), axes


def trained_looking_checkpoint():
    """pytorchvideo's own keys, 400 classes; fresh, a SlowFast's residual blocks end in zero and would hide things."""
    torch.manual_seed(0)
    net = build_net("tiny", num_grades=400, in_channels=3)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return net.state_dict()


STRUCTURES = [dict(frame_mixer=mixer) for mixer in FRAME_MIXERS]
STRUCTURES += [
    dict(stages=stages, head=head, frame_mixer="none")
    for stages in ("none", "res5", "res4-5", "res3-5", "late")
    for head in ("pooled", "attentive")
    if (stages, head) != ("none", "pooled")  # is among those before
]
STRUCTURES += [
    dict(stages=stages, mixer=mixer) for stages in ("res4-5", "late") for mixer in ("conv3", "conv9", "shift")
]


def test_with_official_weights_every_structure_is_slowfast_and_after_one_step_is_not():
    """What the branches are made of is in the test above: here, where they are and what else there is."""
    checkpoint, clip = trained_looking_checkpoint(), torch.randn(2, 3, 8, 64, 64)
    slowfast = create_model("slowfast", "tiny", num_grades=400).eval()
    load_state(slowfast, checkpoint, "official")
    with torch.no_grad():
        expected = slowfast(clip)
    for options in STRUCTURES:
        model = create_model("hybrid", "tiny", num_grades=400, **options).eval()
        report = load_state(model, checkpoint, "official")
        assert not report.missing and not report.unexpected
        with torch.no_grad():
            assert torch.equal(model(clip), expected), options
        new = [p for name, p in model.named_parameters() if name.startswith(model.new_module_prefixes)]
        assert bool(new) == (options != dict(frame_mixer="none"))
        if new:
            model(clip).square().mean().backward()
            torch.optim.SGD(new, 0.1).step()
            with torch.no_grad():
                assert not torch.equal(model(clip), expected), options
