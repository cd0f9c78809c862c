"""How the parts of the hybrid start: each from random numbers of its own, whatever other parts the model has."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


def draw_seed() -> int:
    """One number from torch's generator, from which the seeds of all parts follow; also on the meta device."""
    return int(torch.randint(2**62, (), device="cpu"))


@contextmanager
def isolated_rng(seed: int, part: str) -> Iterator[None]:
    """Inside, torch's generator on the CPU is seeded by `seed` and the part's name; outside, it is as it was.

    So an option of one part changes no other part's first values, and two settings differ in that option alone.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(zlib.crc32(f"{seed} {part}".encode()))
        yield


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer of normal weights with a bias of zero, whose outputs are as large as normalised inputs."""
    layer = nn.Linear(inputs, outputs)
    nn.init.trunc_normal_(layer.weight)
    with torch.no_grad():
        layer.weight.mul_(inputs**-0.5)
    nn.init.zeros_(layer.bias)
    return layer
