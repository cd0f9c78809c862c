"""Which frames can reach a pathway's features: what attention_mask.py says of windows, checked frame by frame."""

import pytest
import torch
from support import FIRST_DESIGN
from torch import nn

from hybrid import create_model


def reached(pathway, **options):
    """Frames whose change changes the pathway's first step after res5, in double precision and without tolerance."""
    torch.manual_seed(0)
    init = {} if options.get("stages") == "none" else {"init": "random"}
    model = create_model("hybrid", "tiny", **FIRST_DESIGN | init | options).double().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm3d):  # fresh, the last of each block is zero
            nn.init.uniform_(module.weight, 0.5, 1.5)
    clip = torch.randn(1, 3, 16, 64, 64, dtype=torch.double)
    step = 0 if pathway == "slow" else 1
    with torch.no_grad():
        before = model.forward_features(clip)[step][:, :, 0]
        frames = []
        for frame in range(16):
            other = clip.clone()
            other[:, :, frame] += torch.randn(3, 64, 64, dtype=torch.double)
            if not torch.equal(model.forward_features(other)[step][:, :, 0], before):
                frames.append(frame)
    assert frames == list(range(len(frames)))
    return frames[-1]


@pytest.mark.parametrize(
    ("options", "farthest"),
    [
        (dict(stages="none"), 6),
        (dict(scope="fast", window=3), 8),
        (dict(scope="fast", window=5), 10),
        (dict(scope="fast", window=9), 14),
        (dict(scope="fast"), 15),
        (dict(scope="fast", mixer="conv3"), 8),
        (dict(scope="fast", mixer="shift"), 8),
        (dict(scope="separate", window=3), 8),
        (dict(window=3), 15),  # through Slow
        (dict(window=3, stages="res5"), 15),
    ],
    ids=str,
)
def test_fast_is_reached_from_as_far_as_kernels_and_windows_add_up_to(options, farthest):
    assert reached("fast", **options) == farthest


def test_slow_is_reached_from_the_whole_clip_without_any_attention():
    assert reached("slow", stages="none") == 15
