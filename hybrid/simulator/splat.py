"""Phase maps from clouds of points: everything in view is points that carry phase, spread over the nearest pixels."""

from __future__ import annotations

import numpy as np


def splat(points_TP2: np.ndarray, weight_P: np.ndarray, size: int) -> np.ndarray:
    """(T, size, size) sums of the weights of points (T, P, 2) given as (x, y) in px, each shared bilinearly by the
    four pixels around it; points out of view are left out. `weight_P` is (P,), or (T, P)."""
    frames = points_TP2.shape[0]
    x, y = points_TP2[..., 0], points_TP2[..., 1]
    weight = np.broadcast_to(weight_P, x.shape)
    left, top = np.floor(x), np.floor(y)
    fx, fy = (x - left).astype(np.float32), (y - top).astype(np.float32)
    inside = (left >= 0) & (left < size - 1) & (top >= 0) & (top < size - 1)
    index = (np.arange(frames)[:, None] * size + top.astype(np.int64)) * size + left.astype(np.int64)
    if not inside.all():
        index, fx, fy, weight = index[inside], fx[inside], fy[inside], weight[inside]
    index, fx, fy, weight = index.ravel(), fx.ravel(), fy.ravel(), weight.ravel().astype(np.float32)
    right, bottom = weight * fx, weight * (1 - fx)
    indices = np.concatenate([index, index + 1, index + size, index + size + 1])
    weights = np.concatenate([bottom * (1 - fy), right * (1 - fy), bottom * fy, right * fy])
    total = np.bincount(indices, weights, minlength=frames * size * size)
    return total.reshape(frames, size, size).astype(np.float32)
