"""Reduced precision that is wrong is found, layer by layer, and what only rounds is not."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import conv3d, scaled_dot_product_attention

from hybrid import create_model
from hybrid.device import choose_machine
from hybrid.training.gradient_check import TOLERANCE, compare_gradients

BFLOAT16 = choose_machine("cpu", "bf16-mixed")


def found_in(net, *shape):
    torch.manual_seed(0)
    clip_BCTHW = torch.randn(shape)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = compare_gradients(BFLOAT16.to_channels_last(net).train(), clip_BCTHW, BFLOAT16)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    return found


def wrong_in(net, *shape):
    return {(one.layer, one.gradient) for one in found_in(net, *shape) if one.error > TOLERANCE}


class Planted(torch.autograd.Function):
    """The identity, whose gradient is spoilt in reduced precision."""

    @staticmethod
    def forward(ctx, x, spoil):
        ctx.spoil = spoil
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return (ctx.spoil(grad) if grad.dtype == torch.bfloat16 else grad), None


SPOILT = {
    "memory that nobody wrote": torch.empty_like,
    "another sign": torch.neg,
    "nothing": torch.zeros_like,
    "infinity": lambda grad: grad * math.inf,
    "a part left out": lambda grad: grad * (torch.arange(grad.shape[1]) > 0),
}


class Faulty(nn.Linear):
    def __init__(self, spoil):
        super().__init__(16, 16)
        self.spoil = spoil

    def forward(self, x):
        reduced = torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32
        return nn.functional.linear(x, Planted.apply(self.weight.to(reduced), self.spoil), self.bias)


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_planted_backward_is_found_in_its_layer_alone(spoil):
    net = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), Faulty(SPOILT[spoil]), nn.ReLU(), nn.Linear(16, 16))
    assert wrong_in(net, 8, 16) == {("2", "weight")}


class Attention(nn.Module):
    """Keys have a bias, whose gradient is nothing but rounding."""

    def __init__(self, spoil=None):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(16, 16) for _ in range(4))
        self.spoil = spoil

    def forward(self, x):
        attended = scaled_dot_product_attention(self.query(x), self.key(x), self.value(x))
        return self.out(Planted.apply(attended, self.spoil) if self.spoil else attended)


class Normalised(nn.Module):
    """So has a bias before batch normalisation."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv3d(3, 8, 3, padding=1), nn.BatchNorm3d(8)

    def forward(self, x):
        return torch.relu_(self.norm(self.conv(x)))


def test_what_holds_no_weights_itself_is_asked_with_the_layers_around_it():
    net = nn.Sequential(nn.Linear(16, 16), Attention(torch.zeros_like))
    assert {layer for layer, _ in wrong_in(net, 8, 10, 16)} == {"1"}


def test_a_gradient_that_is_nothing_but_rounding_is_no_fault():
    assert not wrong_in(nn.Sequential(nn.Linear(16, 16), Attention()), 8, 10, 16)
    assert not wrong_in(nn.Sequential(Normalised(), nn.Conv3d(8, 4, 1)), 4, 3, 4, 8, 8)


def test_what_is_frozen_is_not_asked():
    net = nn.Sequential(nn.Linear(16, 16).requires_grad_(False), nn.Linear(16, 16))
    assert {one.layer for one in found_in(net, 8, 16)} == {"1"}


def faulty_convolutions() -> bool:
    """Whether torch's own bfloat16 convolution reads memory that nobody wrote here, asked in torch alone."""
    torch.manual_seed(0)
    x, w = torch.randn(4, 32, 2, 4, 4).bfloat16(), torch.randn(32, 32, 3, 3, 3).bfloat16().requires_grad_()
    right = torch.autograd.grad(conv3d(x.float(), w.float(), padding=1).sum(), w)[0]
    for _ in range(20):
        junk = [torch.full((size,), math.nan) for size in (64, 1024, 13824, 27648, 65536) for _ in range(4)]
        del junk
        got = torch.autograd.grad(conv3d(x, w, padding=1).float().sum(), w)[0]
        if not (got.float() - right).abs().max() < 0.5 * right.abs().max():
            return True
    return False


@pytest.mark.skipif(not faulty_convolutions(), reason="torch's bfloat16 convolutions are right on this processor")
@pytest.mark.parametrize("name", ["r3d", "r2plus1d"])
def test_the_fault_of_torchs_convolutions_is_found(name):
    wrong = wrong_in(create_model(name, "tiny"), 4, 3, 16, 64, 64)
    assert wrong and all(layer.startswith("net.layer4") and what.endswith("weight") for layer, what in wrong)


@pytest.mark.parametrize("name", ["vgg16", "swin", "vivit", "hybrid"])
def test_healthy_models_are_far_from_the_tolerance(name):
    found = found_in(create_model(name, "tiny"), 2, 3, 16, 64, 64)
    assert len(found) > 5 and found[0].error < TOLERANCE / 2, found[0]
