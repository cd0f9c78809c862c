"""Batches of clips from the resident array: what is drawn when follows from (seed, epoch) alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler, TensorDataset

from hybrid.config import AugmentConfig
from hybrid.data.augment import draw_view, move, normalise


class EpochSampler(Sampler[int]):
    """All positions in an order that is a function of (seed, epoch); Lightning calls `set_epoch`."""

    def __init__(self, length: int, seed: int) -> None:
        self.length, self.seed, self.epoch = length, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        yield from np.random.default_rng((self.seed, self.epoch)).permutation(self.length).tolist()


def training_batches(clips: np.ndarray, batch_size: int, seed: int) -> DataLoader:
    """Batches of clip numbers, shuffled each epoch; an incomplete last batch is left out (batch statistics)."""
    batch_size = min(batch_size, len(clips))
    return DataLoader(
        TensorDataset(torch.as_tensor(clips)),
        batch_size,
        sampler=EpochSampler(len(clips), seed),
        drop_last=True,
    )


def evaluation_batches(clips: np.ndarray, batch_size: int) -> DataLoader:
    """Batches of clip numbers in their own order, every one of them."""
    return DataLoader(TensorDataset(torch.as_tensor(clips)), batch_size)


class ResidentClips:
    """The decoded clips, on the device whole where they fit in half of its free memory.

    frames_NTHWC: uint8; mean, std: one number a colour channel, of the model's input in [0, 1].
    """

    def __init__(self, frames_NTHWC: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self.frames_NTHWC = frames_NTHWC
        channels = frames_NTHWC.shape[-1]
        self.mean, self.std = _for_channels(mean, channels), _for_channels(std, channels)
        self.on_device: Tensor | None = None

    def to(self, device: torch.device) -> None:
        """Move the whole array to a GPU if it fits; on a CPU it stays mapped from disk."""
        if device.type == "cuda" and self.on_device is None:
            free_bytes, _ = torch.cuda.mem_get_info(device)
            if self.frames_NTHWC.nbytes < free_bytes / 2:
                self.on_device = torch.from_numpy(np.array(self.frames_NTHWC)).to(device)

    def batch(
        self, clips_B: Tensor, device: torch.device, augment: AugmentConfig | None = None, seed: int = 0, epoch: int = 0
    ) -> Tensor:
        """The normalised clips (B, C, T, H, W) with these numbers, augmented where `augment` is given."""
        numbers = clips_B.tolist()
        if self.on_device is not None:
            clip_BCTHW = self.on_device[clips_B.to(device)].permute(0, 4, 1, 2, 3)
        else:
            clip_BCTHW = torch.from_numpy(self.frames_NTHWC[numbers]).to(device).permute(0, 4, 1, 2, 3)
        views = None
        if augment is not None:
            side = clip_BCTHW.shape[-1]
            views = [draw_view(augment, side, seed, epoch, number) for number in numbers]
            clip_BCTHW = torch.stack([move(clip, view) for clip, view in zip(clip_BCTHW, views, strict=True)])
        return normalise(clip_BCTHW.contiguous(), self.mean.to(device), self.std.to(device), views)


def _for_channels(values: tuple[float, ...], channels: int) -> Tensor:
    values_C = torch.tensor(values)
    return values_C if channels == len(values) else values_C.mean().expand(channels)
