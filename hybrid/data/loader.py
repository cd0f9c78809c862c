"""Batches of clips from an array in memory: what is drawn when follows from (seed, epoch) alone."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, TensorDataset

from hybrid.data.one_pass import seen_in_one_pass
from hybrid.data.transforms import IDENTITY, AugmentParams, Moments, Normalisation, source_pixels


class IndexDataset(Dataset):
    """Item v * N + i is (number of clip i, v): v is how often all N clips were gone through before."""

    def __init__(self, clips: np.ndarray) -> None:
        self.clips = clips

    def __len__(self) -> int:
        return len(self.clips)

    def __getitems__(self, items: list[int]) -> list[Tensor]:
        visits_B, clips_B = np.divmod(items, len(self.clips))
        return [torch.from_numpy(self.clips[clips_B]), torch.from_numpy(visits_B)]


class EpochSampler(Sampler[int]):
    """Items of IndexDataset in an order that is a function of (seed, epoch); Lightning calls `set_epoch`.

    An epoch is `draws` items of all `length` clips, again and again where it is more; by default each once. Where
    processes do a run together, each has its share of every batch.
    """

    def __init__(self, length: int, seed: int, draws: int | None = None) -> None:
        self.length, self.seed, self.draws, self.epoch = length, seed, draws or length, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.draws // process()[1]

    def __iter__(self) -> Iterator[int]:
        rank, processes = process()
        rng, rounds = np.random.default_rng((self.seed, self.epoch)), -(-self.draws // self.length)
        visits = range(self.epoch * rounds, (self.epoch + 1) * rounds)
        yield from np.concatenate([visit * self.length + rng.permutation(self.length) for visit in visits])[
            rank : self.draws : processes
        ].tolist()


def process() -> tuple[int, int]:
    """Which of how many processes that do a run together this is."""
    there = torch.distributed.is_available() and torch.distributed.is_initialized()
    return (torch.distributed.get_rank(), torch.distributed.get_world_size()) if there else (0, 1)


def training_batches(
    clips: np.ndarray, batch_size: int, seed: int, clips_an_epoch: int | None = None, parts: int = 1
) -> DataLoader:
    """Batches of (clip number, visit), shuffled each epoch; an incomplete last one is left out (batch statistics).

    clips_an_epoch: how many are drawn in an epoch, by default each once. parts: that each batch comes in.
    """
    draws = clips_an_epoch or len(clips)
    batch_size = min(batch_size, draws)
    sampler = EpochSampler(len(clips), seed, draws - draws % batch_size)
    part = max(1, batch_size // parts)
    return DataLoader(IndexDataset(clips), part, sampler=sampler, drop_last=True, collate_fn=lambda batch: batch)


def evaluation_batches(clips: np.ndarray, batch_size: int) -> DataLoader:
    """Batches of clip numbers in their own order, every one of them."""
    return DataLoader(TensorDataset(torch.as_tensor(clips)), batch_size)


class InMemoryClips:
    """The decoded clips, on the device whole where they fit in half of its free memory.

    frames_NTHWC: uint8. normalisation: what a batch goes through last. used: the frames that a batch holds, by default
    all; see `ClipModel.used_frames`. moments: of these clips, where other runs have use for them too.
    """

    watched = 1
    """batches at a time, to watch an error"""
    profile: Path | None = None
    """where what a model costs for one clip is kept, if it belongs to the clips"""

    def __init__(
        self,
        frames_NTHWC: np.ndarray,
        normalisation: Normalisation,
        used: range | None = None,
        moments: Moments | None = None,
    ) -> None:
        self.frames_NTHWC = frames_NTHWC
        self.normalisation = normalisation
        self.used = used
        self.moments = moments or Moments(frames_NTHWC)
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

    def batch(self, clips_B: Tensor, device: torch.device, views: list[AugmentParams] | None = None) -> Tensor:
        """The normalised clips (B, C, T, H, W) with these numbers, each as its view shows it where there are any."""
        numbers = clips_B.tolist()
        views = views or [IDENTITY] * len(numbers)
        own_B2C = self.moments.as_seen(numbers, views) if self.normalisation.way == "clip" else None
        lines_B2C = self.normalisation.lines(views, self.frames_NTHWC.shape[-1], own_B2C)
        if device.type == "cpu":
            out_BTHWC = seen_in_one_pass(self.frames_NTHWC, numbers, self.used, views, lines_B2C)
        else:
            used = as_slice(self.used)
            if self.on_device is not None:
                frames_BTHWC = self.on_device[sent(clips_B, device), used]
            else:
                frames_BTHWC = sent(torch.from_numpy(np.stack([self.frames_NTHWC[n, used] for n in numbers])), device)
            out_BTHWC = seen_by_table(frames_BTHWC, views, lines_B2C)
        return out_BTHWC.permute(0, 4, 1, 2, 3)


def as_input(
    frames_BTHWC: Tensor,
    normalisation: Normalisation,
    views: list[AugmentParams] | None = None,
    used: range | None = None,
) -> Tensor:
    """uint8 frames as a model's input (B, C, T, H, W), each clip as its view shows it where there are any.

    used: the frames that it holds, by default all.
    """
    views, own_B2C = views or [IDENTITY] * len(frames_BTHWC), None
    if normalisation.way == "clip":
        own_B2C = Moments(frames_BTHWC.cpu().numpy()).as_seen(range(len(views)), views)
    lines_B2C = normalisation.lines(views, frames_BTHWC.shape[-1], own_B2C)
    if frames_BTHWC.device.type == "cpu":
        out_BTHWC = seen_in_one_pass(frames_BTHWC.numpy(), range(len(views)), used, views, lines_B2C)
    else:
        out_BTHWC = seen_by_table(frames_BTHWC[:, as_slice(used)], views, lines_B2C)
    return out_BTHWC.permute(0, 4, 1, 2, 3)


def seen_by_table(frames_BTHWC: Tensor, views: list[AugmentParams], lines_B2C: Tensor) -> Tensor:
    """What `seen_in_one_pass` does, in a few steps for all clips: for a GPU."""
    batch, frames, side = frames_BTHWC.shape[:3]
    device = frames_BTHWC.device
    source_BP = torch.stack([source_pixels(v.mirrored, v.quarter_turns, v.shift, side) for v in views])
    first_F = torch.arange(0, batch * frames * side * side, side * side, dtype=source_BP.dtype)
    source_BTP = sent(first_F.view(batch, frames, 1) + source_BP[:, None], device)
    seen_BTHWC = frames_BTHWC.flatten(0, 3).index_select(0, source_BTP.flatten()).view(frames_BTHWC.shape)
    # A row of pixels at once: a channel alone is too short for a processor's vectors.
    scale_B11R, bias_B11R = sent(lines_B2C.repeat(1, 1, side), device)[:, :, None, None].unbind(1)
    return torch.addcmul(bias_B11R, seen_BTHWC.flatten(3), scale_B11R).view(frames_BTHWC.shape)


def sent(x: Tensor, device: torch.device) -> Tensor:
    """The tensor on the device. To a GPU it goes through memory that cannot move, so that nobody waits for it."""
    if device.type == "cuda" and x.device.type == "cpu":
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)


def as_slice(used: range | None) -> slice:
    return slice(None) if used is None else slice(used.start, used.stop, used.step)
