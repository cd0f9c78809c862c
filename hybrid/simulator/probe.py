"""Small networks that the simulator's gates train to see what can be learned from its pixels, on one core."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tqdm import tqdm


def learn(
    make: Callable, inputs: np.ndarray, targets: np.ndarray, train: int, seed: int, *, loss: Callable, epochs: int
) -> np.ndarray:
    """What a network, from `make()`, says of the inputs after the first `train`, on which it is trained.

    inputs: (N, .., H, W) uint8; each is brought to mean 0, and each batch is flipped and turned by quarters.
    loss: of outputs and targets. AdamW with one cycle of the learning rate up to 2e-3.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    x, y = torch.as_tensor(inputs), torch.as_tensor(targets, dtype=torch.float32)
    net = make()
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=epochs * -(-train // BATCH))
    for _ in tqdm(range(epochs), "training a probe", unit="epoch", disable=None):
        for batch in torch.randperm(train).split(BATCH):
            error = loss(net(_turned(_normalised(x[batch]))), y[batch])
            optimiser.zero_grad()
            error.backward()
            optimiser.step()
            schedule.step()
    net.eval()
    with torch.no_grad():
        outputs = torch.cat([net(_normalised(part)) for part in x[train:].split(BATCH)])
    torch.set_num_threads(threads)
    return outputs.numpy()


def convolutions(channels: tuple[int, ...], strides: tuple[int, ...]):
    """3 x 3 convolutions of one-channel pictures, each with batch norm and ReLU, and at last the largest of each
    feature over all places."""
    from torch import nn

    layers = []
    for inside, outside, stride in zip((1, *channels[:-1]), channels, strides, strict=True):
        layers += [nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten())


BATCH = 64


def _normalised(inputs):
    """A clip's or a picture's mean is taken off; 20 grey levels are 1."""
    inputs = inputs.float()
    return (inputs - inputs.flatten(1).mean(1).view(-1, *[1] * (inputs.ndim - 1))) / 20


def _turned(inputs):
    import torch

    flip, turns = torch.randint(2, ()).item(), torch.randint(4, ()).item()
    return torch.rot90(inputs.flip(-1) if flip else inputs, turns, (-2, -1))
