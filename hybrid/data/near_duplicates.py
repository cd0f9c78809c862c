"""Clips that show the same though their files differ: encoded anew, scaled, brightened.

What tells a clip is what moves in it: its frames in a coarse grid, less each cell's mean over time, so that a lamp's
uneven light, which all clips of a microscope share, counts for nothing. Two clips show the same where these agree in
more than half of their variance. (Hashes of single frames, as imagehash's dHash, take other cells on the same ground
for one another.)
Not found: clips that were cropped, turned, cut to another second, or compressed until little is left.
"""

from collections.abc import Sequence

import numpy as np
from einops import rearrange

from hybrid.data.problems import some_of

GRID = 8
"""cells a side"""
SAME = 0.5**0.5
"""correlation above which two clips share more than half of their variance"""
AT_ONCE = 512
"""clips compared with all others at a time, which bounds the memory"""


def near_duplicates(frames_NTHWC: np.ndarray, digests: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of clips that show the same, the smaller number first; not of files that are the same (their digests)."""
    if len(frames_NTHWC) == 0:
        return []
    starts = range(0, len(frames_NTHWC), AT_ONCE)
    moving_ND = np.concatenate([_moving(frames_NTHWC[start : start + AT_ONCE]) for start in starts])
    found: list[tuple[int, int]] = []
    for start in starts:
        alike = moving_ND[start : start + AT_ONCE] @ moving_ND[start:].T
        firsts, seconds = np.nonzero(np.triu(alike > SAME, 1))
        found += zip((firsts + start).tolist(), (seconds + start).tolist(), strict=True)
    return [(first, second) for first, second in found if digests[first] != digests[second]]


def split_pairs_notice(pairs: Sequence[tuple[int, int]], folds_RN: np.ndarray, clips: Sequence[str]) -> list[str]:
    """What to say of pairs of which one may be trained on while the other is tested; nothing where there is none."""
    split = [(a, b) for a, b in pairs if (folds_RN[:, a] != folds_RN[:, b]).any()]
    if not split:
        return []
    named = some_of(f"{clips[first]} and {clips[second]}" for first, second in split)
    return [
        f"{len(split)} pairs of clips show the same in other files and are split between training and test, so that "
        f"errors may be too low: {named}; if they are the same, leave one out or give both one group"
    ]


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
