"""How alike two answers about the same clips are."""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import spearmanr


def spearman(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(N,) rank correlation over all that each clip has, (N, ...); NaN where one of the two has no order."""
    pairs = zip(one.reshape(len(one), -1), other.reshape(len(other), -1), strict=True)
    return np.array([np.nan if np.ptp(a) == 0 or np.ptp(b) == 0 else spearmanr(a, b).statistic for a, b in pairs])


def ssim(one_NTHW: np.ndarray, other_NTHW: np.ndarray) -> np.ndarray:
    """(N,) structural similarity of maps, each clip's divided by its largest value; mean over the frames."""
    from torchmetrics.functional.image import structural_similarity_index_measure  # here, since it takes seconds

    one, other = (torch.from_numpy(by_largest(maps)).float() for maps in (one_NTHW, other_NTHW))
    return structural_similarity_index_measure(one, other, data_range=1.0, reduction="none").double().numpy()


def by_largest(maps_NTHW: np.ndarray) -> np.ndarray:
    largest_N = maps_NTHW.max(axis=(1, 2, 3), keepdims=True)
    return maps_NTHW / np.where(largest_N > 0, largest_N, 1)
