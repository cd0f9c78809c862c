"""What a training step may leave out: branches (drop path) and the Fast pathway."""

import torch
from support import FIRST_DESIGN
from torch import nn

from baselines.contract import Intermediates
from hybrid import create_model


def clip(batch=8):
    return torch.randn(batch, 3, 8, 64, 64)


@torch.no_grad()
def test_drop_path_leaves_whole_clips_without_a_branch_and_scales_the_rest():
    torch.manual_seed(0)
    branch = create_model("hybrid", "tiny", **FIRST_DESIGN, drop_path=0.5, init="random", keys="frame").temporal["res5"]
    model = create_model("hybrid", "tiny", **FIRST_DESIGN)
    x = {"slow": torch.randn(64, 384, 2, 1, 1), "fast": torch.randn(64, 64, 8, 1, 1)}
    whole = branch.eval()(x, model.frame_times_of_pathways(8))["fast"]
    part = branch.train()(x, model.frame_times_of_pathways(8))["fast"]
    kept = part.flatten(1).any(dim=1)
    assert 16 < kept.sum() < 48
    torch.testing.assert_close(part[kept], 2 * whole[kept])


def test_dropping_is_of_training_alone():
    x = clip(2)
    torch.manual_seed(0)
    reference = create_model("hybrid", "tiny", **FIRST_DESIGN, init="random").eval()
    for options in (dict(drop_path=0.9), dict(drop_pathway=0.9)):
        model = create_model("hybrid", "tiny", **FIRST_DESIGN, init="random", **options).eval()
        model.load_state_dict(reference.state_dict())
        with torch.no_grad():
            assert torch.equal(model(x), reference(x))


def test_where_fast_is_dropped_nothing_of_it_reaches_the_grades():
    """BatchNorm is in eval, or clips would touch each other."""
    torch.manual_seed(0)
    model = create_model("hybrid", "tiny", **FIRST_DESIGN, init="random", drop_pathway=0.5).eval()
    nn.init.normal_(model.attentive["fast"].gate_C)
    model.drop_pathway.train()
    x = clip()
    torch.manual_seed(1)
    keep = model.drop_pathway.draw(len(x), x.device).flatten()
    assert 0 < keep.sum() < len(x)
    other = x.clone()
    other[:, :, 3] += 1  # a frame that Slow is not given
    with torch.no_grad():
        logits = []
        for clips in (x, other):
            torch.manual_seed(1)
            logits.append(model(clips))
    changed = (logits[0] - logits[1]).abs().amax(dim=1) > 0
    assert torch.equal(changed, keep)


@torch.no_grad()
def test_what_fast_computes_by_itself_is_left_alone():
    model = create_model("hybrid", "tiny", **FIRST_DESIGN, drop_pathway=0.9).train()
    plain = create_model("hybrid", "tiny", **FIRST_DESIGN).train()
    plain.load_state_dict(model.state_dict())
    x, seen = clip(4), (Intermediates(), Intermediates())
    for net, into in zip((model, plain), seen, strict=True):
        net.forward_features(x, into)
    for stage in ("stem", "res3", "res5"):
        assert torch.equal(*(into.features[f"fast.{stage}"].x_BCTHW for into in seen))
