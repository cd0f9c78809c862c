import time

import pytest
import torch
from torch import nn

from hybrid.profiling import time_inference, time_training_step


class Sleeper(nn.Module):
    """Takes `first` seconds for its first calls and 0.02 after, and notes the mode it is called in."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 3)
        self.norm = nn.BatchNorm1d(3)
        self.calls = []

    def forward(self, clip_BCTHW):
        self.calls.append((self.training, torch.is_grad_enabled()))
        time.sleep(0.2 if len(self.calls) <= 2 else 0.02)
        return self.norm(self.linear(clip_BCTHW.flatten(1)))


def test_inference_is_timed_a_clip_after_warm_up_in_eval():
    model = Sleeper().train()
    seconds = time_inference(model, torch.zeros(4, 2, 1, 1, 1), repetitions=3)
    assert 0.005 <= seconds < 0.05, "0.02 s for 4 clips, without the slow first calls"
    assert model.calls == [(False, False)] * 5
    assert model.training


def test_training_step_is_timed_with_gradients_on_a_copy():
    model = Sleeper().eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    seconds = time_training_step(model, torch.randn(4, 2, 1, 1, 1), repetitions=3)
    assert 0.005 <= seconds < 0.05
    assert not model.calls and not model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_no_repetition_is_refused():
    with pytest.raises(ValueError, match="repetitions"):
        time_inference(nn.Identity(), torch.zeros(1, 3, 8, 64, 64), repetitions=0)
