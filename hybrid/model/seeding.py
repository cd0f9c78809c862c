"""Random numbers of one part of a model, whatever other parts the model has."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def draw_seed() -> int:
    """One number from torch's generator, from which the seeds of all parts follow; also on the meta device."""
    return int(torch.randint(2**62, (), device="cpu"))


@contextmanager
def drawn_apart(seed: int, part: str) -> Iterator[None]:
    """Inside, torch's generator on the CPU is seeded by `seed` and the part's name; outside, it is as it was.

    So a switch of one part changes no other part's first values, and two settings differ in what the switch says alone.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(zlib.crc32(f"{seed} {part}".encode()))
        yield
