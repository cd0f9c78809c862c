"""Phase maps from clouds of points: everything in view is points that carry phase, spread over the nearest pixels."""

from __future__ import annotations

import numpy as np


def splat(points_TP2: np.ndarray, weight: np.ndarray, size: int) -> np.ndarray:
    """(T, size, size) sums of the weights of points (T, P, 2) given as (x, y) in px, each shared bilinearly by the
    four pixels around it; points out of view are left out.

    `weight` is (P,) or (T, P); or (L, T, P) for L pictures of the same points, (L, T, size, size).
    """
    frames, number = points_TP2.shape[:2]
    weight_LTP = np.broadcast_to(weight, (len(weight) if weight.ndim == 3 else 1, frames, number))
    total = np.empty((len(weight_LTP), frames, size * size), np.float32)
    for t in range(frames):  # a frame at a time stays in the processor's cache
        index, share_4P, inside = _corners(points_TP2[t], size)
        for layer, weight_P in zip(total, weight_LTP[:, t, inside], strict=True):
            layer[t] = np.bincount(index, (share_4P * weight_P).ravel(), size * size)
    total = total.reshape(-1, frames, size, size)
    return total if weight.ndim == 3 else total[0]


def _corners(points_P2, size):
    """The four pixels around each point in view and the (4, P) shares of its weight; which points are in view."""
    x, y = points_P2[:, 0], points_P2[:, 1]
    left, top = np.floor(x), np.floor(y)
    inside = (left >= 0) & (left < size - 1) & (top >= 0) & (top < size - 1)
    if inside.all():
        inside = slice(None)
    x, y, left, top = x[inside], y[inside], left[inside], top[inside]
    fx, fy = x - left, y - top
    gx, gy = 1 - fx, 1 - fy
    first = (top * size + left).astype(np.intp)
    index = np.concatenate([first, first + 1, first + size, first + size + 1])
    return index, np.stack([gx * gy, fx * gy, gx * fy, fx * fy]), inside
