"""What no model can be expected to beat: the noise of a panel of finitely many raters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def noise_ceiling(target_NK: ArrayLike, raters: ArrayLike) -> NDArray:
    """(N,) expected MSE, mean over grades, of a perfect model against the votes: (1 - sum p^2) / (K (R - 1)).

    Votes are multinomial, so a grade's share has variance p (1 - p) / R; estimating that from the shares
    themselves takes R - 1 in place of R to be unbiased. raters: R, one number or (N,), 2 or more.
    """
    target_NK = np.asarray(target_NK, dtype=np.float64)
    raters_N = np.broadcast_to(np.asarray(raters, dtype=np.float64), len(target_NK))
    if (raters_N < 2).any():
        raise ValueError("the noise of a panel can only be estimated from 2 raters or more")
    return (1 - (target_NK**2).sum(axis=1)) / (target_NK.shape[1] * (raters_N - 1))


def split_half(votes_NK: ArrayLike, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Two distributions a clip, from a random half of its votes each; of an odd number one vote is left out.

    Feed them to a metric as prediction and target to see how well half a panel predicts the other half.
    votes_NK: whole numbers of votes, 2 or more a clip.
    """
    votes_NK = np.asarray(votes_NK)
    if (votes_NK != np.round(votes_NK)).any() or (votes_NK < 0).any():
        raise ValueError("split_half needs counts of votes, whole and not negative")
    votes_NK = votes_NK.astype(np.int64)
    half_N = votes_NK.sum(axis=1) // 2
    if (half_N < 1).any():
        raise ValueError(f"row {int((half_N < 1).argmax())} has fewer than 2 votes: there are no halves")
    first = np.stack([rng.multivariate_hypergeometric(v, h) for v, h in zip(votes_NK, half_N, strict=True)])
    rest = votes_NK - first
    second = np.stack([rng.multivariate_hypergeometric(v, h) for v, h in zip(rest, half_N, strict=True)])
    return first / half_N[:, None], second / half_N[:, None]
