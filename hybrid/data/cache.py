"""All clips of a data set decoded once into one array on disk, which is then only mapped into memory.

    <folder>/frames-16x16fps-64px-3ch-<key>.npy     uint8 NTHWC
    <folder>/frames-16x16fps-64px-3ch-<key>.json    of each clip digest, facts and the checksum of its frames; written
                                                    last: it makes it whole

The folder lies in the user's cache directory, or where the environment variable CACHE_VARIABLE says. It may be deleted
at any time.

The key is made of the bytes of every clip, in order, and of how they are decoded: a clip that changes, comes or goes
makes another key, and the clips that are the same are copied from the cache before. Where something has written into
the array since, frames that are no longer what they were are decoded anew.
"""

import contextlib
import hashlib
import json
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import platformdirs
from tqdm import tqdm

from hybrid.data.clip import DECODER_VERSION, ClipError, ClipFacts, ClipSpec
from hybrid.errors import UserError
from hybrid.files import Unwritable, only_one, whole_file, write_json

CACHE_VARIABLE = "SPERM_VIDEO_HYBRID_CACHE"


@dataclass(frozen=True, eq=False)
class DecodedClips:
    """frames_NTHWC: uint8, read only, mapped from disk. facts and digests (of the files' bytes): one a clip."""

    frames_NTHWC: np.ndarray
    facts: tuple[ClipFacts, ...]
    digests: tuple[str, ...]


class BadClips(UserError):
    """Some clips cannot be decoded; `reasons` says why, by their index."""

    def __init__(self, reasons: dict[int, str]):
        super().__init__(f"{len(reasons)} clips cannot be decoded")
        self.reasons = reasons


def cache_folder(root: Path) -> Path:
    """Where the decoded clips of the folder `root` are kept."""
    place = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("sperm-video-hybrid", appauthor=False)
    name = hashlib.sha256(str(root.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return Path(place) / f"{root.resolve().name}-{name}"


def decode_clips(paths: Sequence[Path], spec: ClipSpec, folder: Path, workers: int | None = None) -> DecodedClips:
    """The frames of all clips, from the cache in `folder` or decoded now; BadClips names those that cannot be.

    workers: threads that decode (PyAV lets go of Python's lock), by default as many as there are processors.
    """
    workers = max(1, min(workers or os.cpu_count() or 1, len(paths)))
    states = [_state(path) for path in paths]
    with ThreadPoolExecutor(workers) as pool:
        digests = tuple(pool.map(content_digest, paths))
    prefix = f"frames-{spec.num_frames}x{spec.frame_rate:g}fps-{spec.side}px-{spec.channels}ch-"
    stem = folder / (prefix + _key(digests, spec))
    if (cached := _sound(stem, spec)) is not None:
        return cached
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with only_one(folder, "decodes into"):
            if (cached := _sound(stem, spec)) is not None:  # made by another run while this one waited
                return cached
            for left_over in folder.glob("*.tmp"):  # of a run that was killed: with the lock held nobody writes
                left_over.unlink(missing_ok=True)
            frames = _Frames(paths, digests, states, spec, _known(folder, prefix, spec))
            _write(stem, frames, workers)
            size = _beside(stem, ".npy").stat().st_size / 1e6
            print(
                f"note: {len(paths)} clips are kept decoded in {folder} ({size:.3g} MB), which may be deleted at any "
                f"time; {CACHE_VARIABLE} names another place",
                file=sys.stderr,
            )
            for old in folder.glob(f"{prefix}*"):
                if old.stem != stem.name:
                    with contextlib.suppress(OSError):  # who has it mapped keeps it until he ends
                        old.unlink()
    except (OSError, Unwritable) as error:
        told = error.__cause__ if isinstance(error, Unwritable) else error
        reason = (told.strerror or str(told)).lower()
        raise UserError(
            f"the decoded clips cannot be stored in {folder}: {reason}; name another place with {CACHE_VARIABLE}"
        ) from error
    cached = _sound(stem, spec)
    if cached is None:
        raise UserError(f"the decoded clips in {folder} were removed or changed while they were opened")
    return cached


def bad_at_once(paths: Sequence[Path]) -> dict[int, str]:
    """Why clips cannot be opened, by their index; without decoding them."""
    from hybrid.data.video import open_source  # here, so that cached data need no decoder

    reasons = {}
    for n, path in enumerate(paths):
        try:
            with open_source(path):
                pass
        except ClipError as error:
            reasons[n] = error.reason
    return reasons


def _state(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
        return stat.st_size, stat.st_mtime_ns
    except OSError:
        return None


def content_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, empty where it cannot be read: decoding it will say why."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _key(digests: Sequence[str], spec: ClipSpec) -> str:
    content = json.dumps([DECODER_VERSION, asdict(spec), digests])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _beside(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)  # with_suffix would cut the name at "16.5fps"


def _sound(stem: Path, spec: ClipSpec) -> DecodedClips | None:
    """A whole cache that holds what was written, or None."""
    read = _read(stem, spec)
    return read[0] if read and not read[1] else None


def _read(stem: Path, spec: ClipSpec) -> tuple[DecodedClips, list[int]] | None:
    """A whole cache and the numbers of its clips whose frames have changed since; or None."""
    try:
        about = json.loads(_beside(stem, ".json").read_text(encoding="utf-8"))
        frames_NTHWC = np.load(_beside(stem, ".npy"), mmap_mode="r")
        facts = tuple(ClipFacts(**facts) for facts in about["facts"])
        digests, checksums, written = tuple(about["digests"]), tuple(about["checksums"]), about["written"]
        if about["version"] != DECODER_VERSION or frames_NTHWC.dtype != np.uint8:
            return None
    except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not (stem.name.endswith(_key(digests, spec)) and frames_NTHWC.flags.c_contiguous):  # another's, under this name
        return None
    if frames_NTHWC.shape != (len(digests), *spec.shape) or not len(facts) == len(digests) == len(checksums):
        return None
    damaged = []
    if _beside(stem, ".npy").stat().st_mtime_ns != written:  # else nobody wrote into it: it may be 15 GB
        # By single clips, so that the sound ones need not be decoded again.
        damaged = [n for n, checksum in enumerate(checksums) if zlib.crc32(frames_NTHWC[n]) != checksum]
    return DecodedClips(frames_NTHWC, facts, digests), damaged


def _known(folder: Path, prefix: str, spec: ClipSpec) -> dict[str, tuple[np.ndarray, ClipFacts]]:
    """Frames and facts of every clip that was decoded like this before, by digest."""
    known = {}
    for about in folder.glob(f"{prefix}*.json"):
        if (read := _read(about.with_suffix(""), spec)) is None:
            continue
        cached, damaged = read
        if damaged:
            print(
                f"note: {len(damaged)} of {len(cached.digests)} clips decoded in {folder} are no longer what was "
                "written there and are decoded anew",
                file=sys.stderr,
            )
        for n in set(range(len(cached.digests))) - set(damaged):
            known[cached.digests[n]] = cached.frames_NTHWC[n], cached.facts[n]
    return known


@dataclass(frozen=True)
class _Frames:
    """What one thread does for one clip."""

    paths: Sequence[Path]
    digests: Sequence[str]
    states: Sequence[tuple[int, int] | None]
    spec: ClipSpec
    known: dict[str, tuple[np.ndarray, ClipFacts]]

    def __call__(self, n: int) -> tuple[np.ndarray, ClipFacts] | str:
        """Frames and facts, or why there are none."""
        if self.digests[n] in self.known:
            return self.known[self.digests[n]]
        from hybrid.data.video import decode_clip  # here, so that cached data need no decoder

        try:
            decoded = decode_clip(self.paths[n], self.spec)
        except ClipError as error:
            return error.reason
        if _state(self.paths[n]) != self.states[n]:
            return "was changed while it was read"
        return decoded.frames_THWC, decoded.facts


def _write(stem: Path, frames: _Frames, workers: int) -> None:
    """Decode into files that take their names when they are whole; BadClips when some clip cannot be decoded."""
    count, facts, checksums, reasons = len(frames.paths), [], [], {}
    with (
        whole_file(_beside(stem, ".npy")) as temporary,
        open(temporary, "wb") as file,
        _workers(workers) as pool,
    ):
        # Written in order and not through a memory map: on a full disk that is an error and not a crash.
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, *frames.spec.shape)}
        np.lib.format.write_array_header_1_0(file, header)
        results = tqdm(pool.map(frames, range(count)), "decoding clips", count, unit="clip", disable=None)
        for n, result in enumerate(results):
            if isinstance(result, str):
                reasons[n] = result
            elif not reasons:
                frames_THWC, clip_facts = result
                pixels = np.ascontiguousarray(frames_THWC).data
                file.write(pixels)
                checksums.append(zlib.crc32(pixels))
                facts.append(asdict(clip_facts))
        if reasons:
            raise BadClips(reasons)
    written = _beside(stem, ".npy").stat().st_mtime_ns
    about = {"version": DECODER_VERSION, "digests": frames.digests, "facts": facts, "checksums": checksums}
    write_json(_beside(stem, ".json"), about | {"written": written})


@contextlib.contextmanager
def _workers(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that stop at once when the program is interrupted, instead of decoding all that is queued first."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
