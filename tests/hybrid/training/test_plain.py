"""The plain way trains the same networks on the same clips, so that only how it is done differs."""

import pytest
import torch
from torch.testing import assert_close

from baselines.weights import load_state
from hybrid import get_entry
from hybrid.data.clip import ClipSpec
from hybrid.data.loader import as_input
from hybrid.data.transforms import Normalisation
from hybrid.data.video import decode_clip
from hybrid.device import choose_machine
from hybrid.training.build import build_model
from hybrid.training.plain import IMPLEMENTATIONS, PlainClips, PlainWay, plain_net
from hybrid.training.steps import measure_steps


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_it_is_the_same_network(name, config_of):
    config = config_of(f"model={name}")
    torch.manual_seed(0)
    theirs = plain_net(config, 5).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():  # no branch is zero
            parameter.add_(0.05 * torch.randn_like(parameter))
    ours = build_model(config, 5).eval()
    report = load_state(ours, theirs.net.state_dict(), name)
    assert not (report.missing or report.unexpected or report.reshaped)
    clip_BCTHW = torch.randn(2, 3, 16, 64, 64)
    assert_close(ours(clip_BCTHW), theirs(clip_BCTHW), rtol=1e-4, atol=1e-4)


@pytest.fixture
def clips(small_dataset):
    paths, entry = sorted((small_dataset / "clips").iterdir()), get_entry("vivit")
    targets_NK = torch.full((len(paths), 5), 0.2)
    return PlainClips(paths, targets_NK, ClipSpec(), entry.mean, entry.std)


def test_it_sees_the_same_clips(clips):
    clip_CTHW, _ = clips[3]
    frames_BTHWC = torch.from_numpy(decode_clip(clips.paths[3], clips.spec).frames_THWC)[None]
    assert_close(clip_CTHW[None], as_input(frames_BTHWC, Normalisation(tuple(clips.mean), tuple(clips.std))))


def test_its_clips_are_augmented_in_training_alone(clips, config_of):
    way = PlainWay(config_of("model=vivit"), choose_machine("cpu"), clips)
    shown = []
    for train in (False, False, True):
        way.batches(train)
        shown.append(clips[3][0])
    assert torch.equal(shown[0], shown[1]) and not torch.equal(shown[1], shown[2])


def test_both_are_measured_in_turns(config_of, small_dataset):
    videos = sorted((small_dataset / "clips").iterdir())
    configs = [config_of(f"model={name}", "protocol.epochs=1") for name in ("resnet50", "vivit")]
    ours, beside = measure_steps(configs, choose_machine("cpu", "32-true"), 1, videos)
    assert list(ours["model"]) == ["resnet50", "vivit"] and (ours["inference_ms"] > 0).all()
    (row,) = beside.itertuples()
    assert row.model == "vivit" and row.step_ms == ours["step_ms"][1]
    assert row.times == row.plain_step_ms / row.step_ms and 0 < row.times_loaded < row.times
