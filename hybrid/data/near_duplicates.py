"""Clips that show the same: of equal files, and of others that were encoded anew, scaled, brightened.

What tells a clip is what moves in it: its frames in a coarse grid, less each cell's mean over time, so that a lamp's
uneven light, which all clips of a microscope share, counts for nothing. Two clips show the same where these agree in
more than half of their variance. (Hashes of single frames, as imagehash's dHash, take other cells on the same ground
for one another.)
Not found: clips that were cropped, turned, cut to another second, or compressed until little is left.
"""

from __future__ import annotations

import contextlib
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from einops import rearrange

from hybrid.data.problems import some_of
from hybrid.files import Unwritable, whole_file

if TYPE_CHECKING:
    from hybrid.data.dataset import ClipDataset

GRID = 8
"""cells a side"""
SAME = 0.5**0.5
"""correlation above which two clips share more than half of their variance"""
AT_ONCE = 512
"""clips compared at a time with as many others, which bounds the memory"""


VERSION = 1
"""of all this: another one compares anew what was compared before"""


def kept_near_duplicates(frames_NTHWC: np.ndarray, digests: Sequence[str]) -> np.ndarray:
    """`near_duplicates` of a data set's clips, kept beside its decoded frames: comparing all with all grows fast."""
    if not isinstance(frames_NTHWC, np.memmap):
        return near_duplicates(frames_NTHWC, digests)
    path = Path(frames_NTHWC.filename).with_suffix(f".alike{VERSION}")  # goes with the frames when the clips change
    with contextlib.suppress(OSError, EOFError, ValueError):
        pairs_P2 = np.load(path)
        if pairs_P2.ndim == 2 and pairs_P2.dtype == np.uint32 and (pairs_P2 < len(digests)).all():
            return pairs_P2
    pairs_P2 = near_duplicates(frames_NTHWC, digests)
    try:
        with whole_file(path) as temporary, open(temporary, "wb") as file:
            np.save(file, pairs_P2)
    except (OSError, Unwritable) as error:  # as in a shared folder of decoded clips that others fill
        told = error.__cause__ if isinstance(error, Unwritable) else error
        print(
            f"note: which clips show the same is found anew at each start, since {path.parent} cannot be written "
            f"({(told.strerror or str(told)).lower()})",
            file=sys.stderr,
        )
    return pairs_P2


def near_duplicates(frames_NTHWC: np.ndarray, digests: Sequence[str]) -> np.ndarray:
    """(P, 2): pairs of clips that show the same, the smaller number first; not of files that are the same (their
    digests)."""
    starts = range(0, len(frames_NTHWC), AT_ONCE)
    moving = [_moving(frames_NTHWC[start : start + AT_ONCE]) for start in starts]
    pairs_P2 = [np.empty((0, 2), np.uint32)]
    for number, start in enumerate(starts):
        for later, other in zip(starts[number:], moving[number:], strict=True):
            firsts, seconds = np.nonzero(moving[number] @ other.T > SAME)
            pairs_P2.append(np.stack([firsts + start, seconds + later], 1).astype(np.uint32))
    firsts, seconds = np.concatenate(pairs_P2).T
    _, file_N = np.unique(list(digests), return_inverse=True)
    told = (firsts < seconds) & (file_N[firsts] != file_N[seconds])
    return np.stack([firsts, seconds], 1)[told]


def split_twins(dataset: ClipDataset, folds_RN: np.ndarray) -> list[str]:
    """What to say of clips that show the same and are trained on while their like is tested; nothing where none is."""

    def split(numbers: Sequence[int]) -> bool:
        return bool((folds_RN[:, numbers] != folds_RN[:, numbers[:1]]).any())

    of_digest = defaultdict(list)
    for number, digest in enumerate(dataset.digests):
        of_digest[digest].append(number)
    same = list(filter(split, of_digest.values()))
    alike = list(filter(split, kept_near_duplicates(dataset.frames_NTHWC, dataset.digests)))
    notices = []
    if same:
        notices.append(
            f"{len(same)} sets of clips are the same file under other names and are split between training and test, "
            f"so that errors are too low: {_named(same, dataset.clips)}; leave the copies out or give all one group"
        )
    if alike:
        notices.append(
            f"{len(alike)} pairs of clips show the same in other files and are split between training and test, so "
            f"that errors may be too low: {_named(alike, dataset.clips)}; if they are the same, leave one out or give "
            "both one group"
        )
    return notices


def _named(sets: Sequence[Sequence[int]], clips: Sequence[str]) -> str:
    return some_of(" and ".join(clips[number] for number in of) for of in sets)


def _moving(frames_NTHWC: np.ndarray) -> np.ndarray:
    """(N, D) of length 1; of length 0 where nothing moves."""
    side = min(GRID, frames_NTHWC.shape[2])
    cell = frames_NTHWC.shape[2] // side
    seen = frames_NTHWC[:, :, : side * cell, : side * cell]
    pixels_NTHWABC = rearrange(seen, "n t (h a) (w b) c -> n t h w a b c", a=cell, b=cell)
    cells_NTHW = pixels_NTHWABC.mean((4, 5, 6), dtype=np.float32)
    moving_ND = (cells_NTHW - cells_NTHW.mean(1, keepdims=True)).reshape(len(seen), -1)
    length_N1 = np.linalg.norm(moving_ND, axis=1, keepdims=True)
    return moving_ND / np.maximum(length_N1, 1e-6)
