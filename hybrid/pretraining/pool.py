"""Clips to pretrain on, simulated once and shared by all models: one array on disk, longer when more is asked for.

    <root>/standard-seed1000000-16x16fps-64px-3ch-<key>/
        frames.u8        uint8, N T H W C, one clip after the other
        clips.csv        what is known of each; its rows say how many clips there are
        request.json     what they depend on, and the key is made of

Clip n depends on the request and n alone. The rows are written when their frames are on disk, so that a program that
is killed leaves a shorter pool and no wrong one.

A batch, from the pool or of clips that are simulated as they are needed, is (clip numbers, visits, frames_BTHWC uint8,
values_BV). Which clip comes when follows from (seed, epoch).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm import tqdm

from hybrid.config import PRETRAINING_SEEDS
from hybrid.data.clip import DECODER_VERSION, ClipSpec
from hybrid.data.loader import EpochSampler, process
from hybrid.errors import UserError
from hybrid.files import only_one, whole_file, write_json
from hybrid.pretraining.attributes import Attributes, known
from hybrid.simulator.dataset import VERSION, in_processes, processors
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings

CHUNK = 32
"""clips at most that a process makes before it reports"""
Item = tuple[int, int, np.ndarray, np.ndarray]
"""clip number, visit, frames_THWC, values_V"""


@dataclass(frozen=True)
class Request:
    """All that a simulated clip depends on but its number."""

    seed: int
    preset: str
    spec: ClipSpec

    def __post_init__(self):
        get_preset(self.preset)
        if not PRETRAINING_SEEDS <= self.seed < 2**63:
            raise UserError(
                f"data.seed must be {PRETRAINING_SEEDS} or more, not {self.seed}: lower seeds are for the clips "
                "that models are tested on, which none may have seen"
            )

    @property
    def settings(self) -> Settings:
        return Settings(num_frames=self.spec.num_frames, frame_rate=self.spec.frame_rate)

    def record(self) -> dict:
        return {
            "simulator": VERSION,
            "decoder": DECODER_VERSION,
            "seed": self.seed,
            "preset": self.preset,
            "settings": asdict(self.settings),
            "spec": asdict(self.spec),
        }

    @property
    def name(self) -> str:
        spec, key = self.spec, hashlib.sha256(json.dumps(self.record()).encode()).hexdigest()[:8]
        shape = f"{spec.num_frames}x{spec.frame_rate:g}fps-{spec.side}px-{spec.channels}ch"
        return f"{self.preset}-seed{self.seed}-{shape}-{key}"


@dataclass(frozen=True, eq=False)
class Pool:
    """N clips. frames_NTHWC: uint8, read only, mapped from disk. known: a row a clip (`attributes.known`)."""

    frames_NTHWC: np.ndarray
    known: pd.DataFrame


def simulate(request: Request, first: int, count: int) -> list[tuple[np.ndarray, dict]]:
    """Frames (T, side, side, C) as those of a data set are read, and what is known, of clips first, first + 1, ..."""
    # Here, so that a pool that is there needs no decoder.
    from hybrid.data.video import decode_clip
    from hybrid.simulator.stream import recordings

    made, clips = [], recordings(request.seed, start=first, preset=request.preset, settings=request.settings)
    with TemporaryDirectory() as folder:
        video = Path(folder) / "clip.mp4"
        for file, truth in islice(clips, count):
            video.write_bytes(file)
            made.append((decode_clip(video, request.spec).frames_THWC, known(truth)))
    return made


def open_pool(root: Path, request: Request, number: int, workers: int | None = None) -> Pool:
    """The first `number` clips, of which those that are not there yet are simulated now.

    workers: processes, by default one a processor.
    """
    folder = root / request.name
    try:
        if missing(root, request, number):
            folder.mkdir(parents=True, exist_ok=True)
            with only_one(folder, "simulates into"):
                _extend(folder, request, number, workers or processors())
        shape = (number, *request.spec.shape)
        return Pool(np.memmap(folder / "frames.u8", np.uint8, "r", shape=shape), _rows(folder).iloc[:number])
    except (OSError, ValueError) as error:
        raise UserError(f"the simulated clips in {folder} cannot be written or read: {error}") from error


def missing(root: Path, request: Request, number: int) -> int:
    """How many of the first `number` clips are not there yet."""
    return max(0, number - len(_rows(root / request.name)))


def _rows(folder: Path) -> pd.DataFrame:
    path = folder / "clips.csv"
    return pd.read_csv(path, keep_default_na=False) if path.exists() else pd.DataFrame()


def _extend(folder: Path, request: Request, number: int, workers: int) -> None:
    rows = _rows(folder).to_dict("records")
    write_json(folder / "request.json", request.record())
    bytes_a_clip = int(np.prod(request.spec.shape))
    with open(folder / "frames.u8", "ab") as file:
        if file.tell() < len(rows) * bytes_a_clip:
            raise UserError(f"{folder} was damaged: clips are missing from frames.u8; remove the folder")
        file.truncate(len(rows) * bytes_a_clip)  # what a killed program began
        size = max(1, min(CHUNK, (number - len(rows)) // (4 * workers)))
        chunks = [(request, first, min(size, number - first)) for first in range(len(rows), number, size)]
        with tqdm(total=number, initial=len(rows), desc="simulating clips", unit="clip", disable=None) as progress:
            for clips in in_processes(_simulate_chunk, chunks, min(workers, len(chunks))):
                for frames_THWC, row in clips:
                    file.write(frames_THWC.tobytes())
                    rows.append(row)
                file.flush()
                os.fsync(file.fileno())
                with whole_file(folder / "clips.csv") as temporary:
                    pd.DataFrame(rows).to_csv(temporary, index=False)
                progress.update(len(clips))


def _simulate_chunk(chunk: tuple[Request, int, int]) -> list[tuple[np.ndarray, dict]]:
    return simulate(*chunk)


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
        ((frames_THWC, row),) = simulate(self.request, item, 1)
        return item, 0, frames_THWC, self.attributes.values(pd.DataFrame([row]))[0]


class InOrder(Sampler[int]):
    """`draws` items an epoch, each epoch the ones after the last; Lightning calls `set_epoch`."""

    def __init__(self, draws: int) -> None:
        self.draws, self.epoch = draws, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.draws // process()[1]

    def __iter__(self) -> Iterator[int]:
        rank, processes = process()
        yield from range(self.epoch * self.draws + rank, (self.epoch + 1) * self.draws, processes)


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
