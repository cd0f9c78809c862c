"""Clips to pretrain on, simulated once and shared by all models: two arrays on disk, longer when more is asked for.

    <root>/standard-seed1000000-16x16fps-64px-3ch-<key>/
        frames.u8        uint8, N T H W C, one clip after the other
        values.f32       float32, N V: what is kept of each (attributes.py); as long as it is, so many clips there are
        request.json     what they depend on, and the key is made of

Clip n depends on the request and n alone. Values are written when their frames are on disk, so that a program that is
killed leaves a shorter pool and no wrong one.

A pool may grow while a model learns from it: every epoch then has a given number of clips that no epoch had before,
which another process simulates during the one before it. Which clips come when follows from (seed, epoch), however fast
that process is: an epoch waits for its clips.

A batch is (clip numbers, visits, frames_BTHWC uint8, values_BV).
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm import tqdm

from hybrid.config import PRETRAINING_SEEDS, processors
from hybrid.data.clip import DECODER_VERSION, ClipSpec
from hybrid.data.loader import process
from hybrid.errors import UserError
from hybrid.files import only_one, write_json
from hybrid.pretraining.attributes import EVERYTHING, Attributes, known
from hybrid.pretraining.attributes import VERSION as VALUES
from hybrid.simulator.dataset import ctrl_c_waits, in_processes
from hybrid.simulator.presets import get_preset
from hybrid.simulator.request import VERSION
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
            "values": VALUES,
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
    """N clips, both read only and mapped from disk. values_NV: see `attributes.known`."""

    frames_NTHWC: np.ndarray
    values_NV: np.ndarray


def simulate(request: Request, first: int, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Frames (T, side, side, C) as those of a data set are read, and values (V,), of clips first, first + 1, ..."""
    # Here, so that a pool that is there needs no decoder.
    from hybrid.data.video import decode_clip
    from hybrid.simulator.stream import recordings

    half_view = get_preset(request.preset).look.camera(request.settings).size / 2
    made, clips = [], recordings(request.seed, start=first, preset=request.preset, settings=request.settings)
    with TemporaryDirectory() as folder:
        video = Path(folder) / "clip.mp4"
        for file, truth in islice(clips, count):
            video.write_bytes(file)
            made.append(
                (decode_clip(video, request.spec).frames_THWC, known(truth, request.spec.frame_rate, half_view))
            )
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
        there = zip(FILES, (np.uint8, np.float32), shapes(request), strict=True)
        return Pool(*(np.memmap(folder / name, kind, "r", shape=(number, *shape)) for name, kind, shape in there))
    except (OSError, ValueError) as error:
        raise UserError(f"the simulated clips in {folder} cannot be written or read: {error}") from error


FILES = ("frames.u8", "values.f32")


def shapes(request: Request) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of a clip's frames and values."""
    spec = request.spec
    return spec.shape, (len(Attributes(EVERYTHING, spec.num_frames, spec.frame_rate).names),)


def missing(root: Path, request: Request, number: int) -> int:
    """How many of the first `number` clips are not there yet."""
    return max(0, number - _there(root / request.name, request))


def _there(folder: Path, request: Request) -> int:
    path, (_, (values,)) = folder / FILES[1], shapes(request)
    return path.stat().st_size // (4 * values) if path.exists() else 0


def _extend(folder: Path, request: Request, number: int, workers: int) -> None:
    there = _there(folder, request)
    if there >= number:  # another program has made them, meanwhile
        return
    write_json(folder / "request.json", request.record())
    with open(folder / FILES[0], "ab") as frames, open(folder / FILES[1], "ab") as values:
        for file, width, shape in zip((frames, values), (1, 4), shapes(request), strict=True):
            whole = there * width * int(np.prod(shape))
            if file.tell() < whole:
                raise UserError(f"{folder} was damaged: clips are missing from {FILES[0]}; remove the folder")
            file.truncate(whole)  # what a killed program began
        size = max(1, min(CHUNK, (number - there) // (4 * workers)))
        chunks = [(request, first, min(size, number - first)) for first in range(there, number, size)]
        with tqdm(total=number, initial=there, desc="simulating clips", unit="clip", disable=None) as progress:
            for clips in in_processes(_simulate_chunk, chunks, min(workers, len(chunks))):
                for file, arrays in zip((frames, values), zip(*clips, strict=True), strict=True):
                    file.write(b"".join(array.tobytes() for array in arrays))
                    file.flush()
                    os.fsync(file.fileno())
                progress.update(len(clips))


def _simulate_chunk(chunk: tuple[Request, int, int]) -> list[tuple[np.ndarray, np.ndarray]]:
    return simulate(*chunk)


def _grow(*arguments) -> None:
    with suppress(KeyboardInterrupt):  # of which the program tells that asked for the clips
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        open_pool(*arguments)


class PoolClips(Dataset):
    """Item (i, v) is clip i of the pool, on the visit v of it."""

    def __init__(self, root: Path, request: Request, number: int, attributes: Attributes, workers: int | None = None):
        self.root, self.request, self.columns, self.workers = root, request, attributes.columns, workers
        self.growing = None
        self.reach(number)

    def reach(self, number: int) -> None:
        """Hold the first `number` clips; those that are not there yet are waited for."""
        if self.growing is not None:
            self.growing.join()
        self.pool = open_pool(self.root, self.request, number, self.workers)

    def grow(self, number: int) -> None:
        """Have another process simulate what is missing of the first `number` clips, meanwhile."""
        if missing(self.root, self.request, number):
            arguments = self.root, self.request, number, self.workers
            self.growing = get_context("spawn").Process(target=_grow, args=arguments)
            with ctrl_c_waits():
                self.growing.start()

    @property
    def frames_NTHWC(self) -> np.ndarray:
        return self.pool.frames_NTHWC

    @property
    def values_NV(self) -> np.ndarray:
        return self.pool.values_NV[:, self.columns]

    def values_of(self, clips_N: np.ndarray) -> np.ndarray:
        """(N, V)"""
        return self.pool.values_NV[clips_N][:, self.columns]

    def __len__(self) -> int:
        return len(self.pool.frames_NTHWC)

    def __getitem__(self, item: tuple[int, int]) -> Item:
        clip, visit = item
        return clip, visit, np.array(self.frames_NTHWC[clip]), self.pool.values_NV[clip, self.columns]


@dataclass(eq=False)
class GrowingEpochs(Sampler[tuple[int, int]]):
    """(clip, visit) of an epoch's draws, a function of (seed, epoch); Lightning calls `set_epoch`.

    Epoch e knows the first `first + e * grows` clips: it has all that are new in it, and as many of the others, drawn
    at random, as make up `draws`, each again where there are too few. In random order.
    """

    clips: PoolClips
    first: int
    grows: int
    draws: int
    seed: int
    epochs: int
    epoch: int = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def number(self, epoch: int) -> int:
        return self.first + epoch * self.grows

    def __len__(self) -> int:
        return self.draws // process()[1]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rank, processes = process()
        self.clips.reach(self.number(self.epoch))
        if rank == 0 and self.grows and self.epoch + 1 < self.epochs:
            self.clips.grow(self.number(self.epoch + 1))
        yield from self.drawn()[rank::processes]

    def drawn(self) -> list[tuple[int, int]]:
        number, rng = self.number(self.epoch), np.random.default_rng((self.seed, self.epoch))
        old = number - self.grows if self.epoch else number
        rounds = [np.concatenate([np.arange(old, number), rng.permutation(old)])]
        most = -(-self.draws // self.first)  # rounds of any epoch
        rounds += [rng.permutation(number) for _ in range(most - 1)]
        clips = np.concatenate(rounds)[: self.draws]
        visits = np.repeat(np.arange(most) + self.epoch * most, number)[: self.draws]
        order = rng.permutation(self.draws)
        return list(zip(clips[order].tolist(), visits[order].tolist(), strict=True))


def pool_batches(order: GrowingEpochs, batch_size: int) -> DataLoader:
    return DataLoader(order.clips, batch_size, sampler=order, drop_last=True)


def held_out_batches(clips: PoolClips, batch_size: int) -> DataLoader:
    """All of them, in their own order."""
    return DataLoader(clips, batch_size, sampler=[(clip, 0) for clip in range(len(clips))])
