"""Stored clips as a model's input on a CPU: turned, shifted and normalised in one pass, a loop that numba compiles.

With numpy and torch alone they are passes of their own, whose pixels go to memory and come back: twice the time, and of
a training step of R3D at tiny a twelfth. Compiling takes a second in each process. It is not kept for the next one:
files of numba's that are cut, or that two machines share, would stop a run.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import Tensor

from hybrid.data.transforms import AugmentParams, orientation
from hybrid.errors import UserError


def seen_in_one_pass(
    frames_NTHWC: np.ndarray, numbers: Sequence[int], used: range | None, views: list[AugmentParams], lines_B2C: Tensor
) -> Tensor:
    """(B, T, H, W, C) float32: these uint8 clips, each as `transforms.apply` shows it in its view, times a scale, plus
    a bias. lines_B2C: scale and bias. used: the frames that there are in it, by default all.
    """
    clips, frames, side, width, channels = frames_NTHWC.shape
    if frames_NTHWC.dtype != np.uint8 or width != side or channels > WORD:
        raise ValueError(f"clips must be square, of bytes and of {WORD} channels at most")
    if min(numbers) < 0 or max(numbers) >= clips or (used and not 0 <= min(used) <= max(used) < frames):
        raise IndexError(f"of {clips} clips of {frames} frames, {numbers} and {used} are not all there")
    frames_BT = frames * np.array(numbers)[:, None] + np.array(range(frames) if used is None else used)
    ways_B5 = np.array([(*orientation(view), *view.shift) for view in views])
    out_BTX = torch.empty(*frames_BT.shape, side * side * channels)
    # The last words of all would reach beyond the end: the last frames are read off a copy with room after it.
    stored_X = np.ascontiguousarray(frames_NTHWC).reshape(-1)
    last = min(len(stored_X), (side * side + WORD) * channels)
    last_X, row_X = (np.zeros(length + WORD - channels, np.uint8) for length in (last, side * channels))
    last_X[:last] = stored_X[-last:]
    stored_P, last_P, row_P = (_words(values_X, channels) for values_X in (stored_X, last_X, row_X))
    stored_P.flags.writeable = last_P.flags.writeable = False  # as what is mapped from a disk is
    first_of_last, lines = (len(stored_X) - last) // channels, lines_B2C.contiguous().numpy()
    _compiled()(stored_P, last_P, first_of_last, frames_BT, ways_B5, lines, row_P, row_X, out_BTX.numpy())
    return out_BTX.view(*frames_BT.shape, side, side, channels)


WORD = 4
"""bytes. The colours of a pixel are moved as one word, which takes a third of the time; what is a neighbour's in it is
mended by the next word, or lies in the room after the last."""


def _words(values_X: np.ndarray, channels: int) -> np.ndarray:
    """One that begins at each pixel, hence overlapping."""
    return np.ndarray(max(0, (len(values_X) - WORD) // channels + 1), np.uint32, values_X, strides=channels)


@cache
def _compiled() -> Callable:
    try:
        import numba  # here, for on a GPU, and of kept features, nobody has use for half a second of it
    except yaml.YAMLError as error:  # it reads its settings from the folder that one is in
        raise UserError(f"{Path('.numba_config.yaml').absolute()}: is no YAML; mend or remove it") from error

    return numba.njit(nogil=True)(_write)


def _write(stored_P, last_P, first_of_last, frames_BT, ways_B5, lines_B2C, row_P, row_X, out_BTX):
    side, channels = len(row_P), lines_B2C.shape[2]
    frame, row = side * side, side * channels
    column_W, scale_X, bias_X = np.empty(side, np.uint64), np.empty(row, np.float32), np.empty(row, np.float32)
    for b in range(len(frames_BT)):
        transposed, upside_down, backwards, down, right = ways_B5[b]
        a_row, a_column = (1, side) if transposed else (side, 1)
        for c in range(side):
            source = min(max(c - right, 0), side - 1)
            column_W[c] = (side - 1 - source if backwards else source) * a_column
        for k in range(row):
            scale_X[k], bias_X[k] = lines_B2C[b, 0, k % channels], lines_B2C[b, 1, k % channels]
        for t in range(frames_BT.shape[1]):
            source_P, first, out_X = stored_P, frames_BT[b, t] * frame, out_BTX[b, t]
            if first + frame > len(stored_P):
                source_P, first = last_P, first - first_of_last
            for r in range(side):
                source = min(max(r - down, 0), side - 1)
                # An unsigned index is not looked at for being negative.
                start = np.uint64(first + (side - 1 - source if upside_down else source) * a_row)
                for c in range(side):
                    row_P[c] = source_P[start + column_W[c]]
                written = np.uint64(r * row)
                for k in range(np.uint64(row)):
                    out_X[written + k] = bias_X[k] + np.float32(row_X[k]) * scale_X[k]
