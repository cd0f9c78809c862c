"""The networks that the gates train on pixels: that they find what is there and nothing else."""

import numpy as np
import pytest
from torch import nn

from hybrid.simulator.checks import networks
from hybrid.simulator.checks.networks import convolutions, learn
from hybrid.simulator.settings import Settings


def pictures_of_dots(number, rng):
    """Grey noise with one or two bright dots, anywhere; the label is which."""
    pictures = rng.integers(90, 110, (number, 1, 16, 16), np.uint8)
    label = rng.integers(2, size=number)
    for picture, two in zip(pictures[:, 0], label, strict=True):
        y, x = rng.integers(2, 12, 2)
        picture[y : y + 2, x : x + (2 if two else 1)] = 200
    return pictures, label


def accuracy(pictures, label):
    def network():
        return nn.Sequential(convolutions((8, 16), (2, 2)), nn.Linear(16, 1))

    def loss(output, target):
        return nn.functional.binary_cross_entropy_with_logits(output[:, 0], target)

    output = learn(network, pictures, label, 640, 0, loss=loss, epochs=12)[:, 0]
    return ((output > 0) == label[640:]).mean()


def test_a_probe_learns_what_is_in_the_picture_and_nothing_from_chance():
    rng = np.random.default_rng(0)
    pictures, label = pictures_of_dots(896, rng)
    assert accuracy(pictures, label) > 0.8
    assert accuracy(pictures, rng.permutation(label)) < 0.5 + 3 * 0.5 / np.sqrt(256)


def test_first_frames_and_what_they_are_told(monkeypatch):
    monkeypatch.setattr(networks, "FRAMES_CHUNK", 3)
    pictures, targets = networks.first_frames((5, Settings()), "clinic")
    assert pictures.shape == (3, 128, 128) and pictures.dtype == np.uint8 and targets.shape == (3, 3)
    assert pictures.std((1, 2)).min() > 1


def test_halves_show_their_own_frames_only(monkeypatch):
    monkeypatch.setattr(networks, "CLIPS_CHUNK", 4)
    pictures, sign, middle = networks.lag_clips(
        (5, Settings(size=64, um_per_px=0.9, colour=False, subframes=2)), "clinic"
    )
    parts = networks.halves(pictures, middle)
    for clip, first, second, split in zip(
        pictures, parts["the first half"], parts["the second half"], middle, strict=True
    ):
        np.testing.assert_array_equal(first[:split], clip[:split])
        np.testing.assert_array_equal(second[split:], clip[split:])
        assert np.ptp(first[split:]) == 0 == np.ptp(second[:split])
    assert sign.dtype == bool and ((middle > 4) & (middle < 13)).all()


@pytest.mark.parametrize("frames", [1, 16])
def test_the_networks_give_one_answer_a_clip(frames):
    import torch

    assert networks.over_frames()(torch.zeros(2, frames, 64, 64)).shape == (2, 1)
