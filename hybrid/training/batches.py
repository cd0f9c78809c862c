"""Batches of clips from the resident array: what is drawn when follows from (seed, epoch) alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, TensorDataset

from hybrid.data.augment import View, move
from hybrid.data.normalisation import Normalisation


class Visits(Dataset):
    """Item v * N + i is (number of clip i, v): v is how often all N clips were gone through before."""

    def __init__(self, clips: np.ndarray) -> None:
        self.clips = clips

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, item: int) -> tuple[int, int]:
        visit, clip = divmod(item, len(self.clips))
        return int(self.clips[clip]), visit


class EpochSampler(Sampler[int]):
    """Items of Visits in an order that is a function of (seed, epoch); Lightning calls `set_epoch`.

    An epoch is `draws` items of all `length` clips, again and again where it is more; by default each once.
    """

    def __init__(self, length: int, seed: int, draws: int | None = None) -> None:
        self.length, self.seed, self.draws, self.epoch = length, seed, draws or length, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.draws

    def __iter__(self) -> Iterator[int]:
        rng, rounds = np.random.default_rng((self.seed, self.epoch)), -(-self.draws // self.length)
        visits = range(self.epoch * rounds, (self.epoch + 1) * rounds)
        yield from np.concatenate([visit * self.length + rng.permutation(self.length) for visit in visits])[
            : self.draws
        ].tolist()


def training_batches(clips: np.ndarray, batch_size: int, seed: int, clips_an_epoch: int | None = None) -> DataLoader:
    """Batches of (clip number, visit), shuffled each epoch; an incomplete last one is left out (batch statistics).

    clips_an_epoch: how many are drawn in an epoch, by default each once.
    """
    sampler = EpochSampler(len(clips), seed, clips_an_epoch)
    return DataLoader(Visits(clips), min(batch_size, len(sampler)), sampler=sampler, drop_last=True)


def evaluation_batches(clips: np.ndarray, batch_size: int) -> DataLoader:
    """Batches of clip numbers in their own order, every one of them."""
    return DataLoader(TensorDataset(torch.as_tensor(clips)), batch_size)


class ResidentClips:
    """The decoded clips, on the device whole where they fit in half of its free memory.

    frames_NTHWC: uint8. normalisation: what a batch goes through last.
    """

    def __init__(self, frames_NTHWC: np.ndarray, normalisation: Normalisation) -> None:
        self.frames_NTHWC = frames_NTHWC
        self.normalisation = normalisation
        self.on_device: Tensor | None = None

    def to(self, device: torch.device) -> None:
        """Move the whole array to a GPU if it fits; on a CPU it stays mapped from disk."""
        if device.type == "cuda" and self.on_device is None:
            free_bytes, _ = torch.cuda.mem_get_info(device)
            if self.frames_NTHWC.nbytes < free_bytes / 2:
                self.on_device = torch.from_numpy(np.array(self.frames_NTHWC)).to(device)

    @property
    def side(self) -> int:
        return self.frames_NTHWC.shape[2]

    def batch(self, clips_B: Tensor, device: torch.device, views: list[View] | None = None) -> Tensor:
        """The normalised clips (B, C, T, H, W) with these numbers, each as its view shows it where there are any."""
        if self.on_device is not None:
            frames_BTHWC = self.on_device[clips_B.to(device)]
        else:
            frames_BTHWC = torch.from_numpy(self.frames_NTHWC[clips_B.tolist()]).to(device)
        return as_input(frames_BTHWC, self.normalisation, views)


def as_input(frames_BTHWC: Tensor, normalisation: Normalisation, views: list[View] | None = None) -> Tensor:
    """uint8 frames as a model's input (B, C, T, H, W), each clip as its view shows it where there are any."""
    clip_BCTHW = frames_BTHWC.permute(0, 4, 1, 2, 3)
    if views is not None:
        clip_BCTHW = torch.stack([move(clip, view) for clip, view in zip(clip_BCTHW, views, strict=True)])
    return normalisation(clip_BCTHW.contiguous(), views)
