"""Batches of simulated clips with their attributes: from the pool, or simulated as they are needed.

A batch is (clip numbers, visits, frames_BTHWC uint8, values_BV). Which clip comes when follows from (seed, epoch).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from torch.utils.data import DataLoader, Dataset, Sampler

from hybrid.pretraining.attributes import Attributes
from hybrid.pretraining.pool import Pool, Request, simulate
from hybrid.training.batches import EpochSampler

Item = tuple[int, int, np.ndarray, np.ndarray]
"""clip number, visit, frames_THWC, values_V"""


class PoolClips(Dataset):
    """Item v * N + i is clip i of the pool, gone through v times before."""

    def __init__(self, pool: Pool, attributes: Attributes) -> None:
        self.frames_NTHWC = pool.frames_NTHWC
        self.values_NV = attributes.values(pool.known)

    def __len__(self) -> int:
        return len(self.frames_NTHWC)

    def __getitem__(self, item: int) -> Item:
        visit, clip = divmod(item, len(self))
        return clip, visit, np.array(self.frames_NTHWC[clip]), self.values_NV[clip]


class EndlessClips(Dataset):
    """Item i is clip i of the stream, simulated when it is asked for; none is seen twice."""

    def __init__(self, request: Request, attributes: Attributes) -> None:
        self.request, self.attributes = request, attributes

    def __getitem__(self, item: int) -> Item:
        ((frames_THWC, known),) = simulate(self.request, item, 1)
        return item, 0, frames_THWC, self.attributes.values(pd.DataFrame([known]))[0]


class InOrder(Sampler[int]):
    """`draws` items an epoch, each epoch the ones after the last; Lightning calls `set_epoch`."""

    def __init__(self, draws: int) -> None:
        self.draws, self.epoch = draws, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.draws

    def __iter__(self) -> Iterator[int]:
        yield from range(self.epoch * self.draws, (self.epoch + 1) * self.draws)


def pool_batches(clips: PoolClips, batch_size: int, seed: int, clips_an_epoch: int) -> DataLoader:
    """Shuffled anew each time the pool is gone through."""
    return DataLoader(clips, batch_size, sampler=EpochSampler(len(clips), seed, clips_an_epoch), drop_last=True)


def endless_batches(clips: EndlessClips, batch_size: int, clips_an_epoch: int, workers: int) -> DataLoader:
    """In order, by this many processes that simulate ahead."""
    return DataLoader(
        clips,
        batch_size,
        sampler=InOrder(clips_an_epoch),
        num_workers=workers,
        persistent_workers=True,
        multiprocessing_context="spawn",
        drop_last=True,
    )


def held_out_batches(clips: PoolClips, batch_size: int) -> DataLoader:
    """All of them, in their own order."""
    return DataLoader(clips, batch_size)
