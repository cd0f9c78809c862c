"""Part of the training clips: what would be known had fewer been collected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hybrid.errors import UserError


def share_of(clips: np.ndarray, groups: Sequence[str] | None, share: float, seed: int | tuple[int, ...]) -> np.ndarray:
    """`share` of these clip numbers, ascending: a function of its arguments, so the same for every model.

    groups: of every clip of the data set, or None. A smaller study has fewer patients, not fewer clips of each: whole
    groups are taken one after the other, in an order that follows from `seed`, and of the last one a part. The smaller
    share is therefore always inside the larger one.
    """
    number = round(share * len(clips))
    if number < 2:
        raise UserError(f"a share of {share:g} of {len(clips)} training clips leaves {number}; 2 or more are needed")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(clips))
    if groups is not None:
        named = np.asarray(groups)[clips]
        rank = {name: r for r, name in enumerate(rng.permutation(np.unique(named)))}
        order = order[np.argsort([rank[name] for name in named[order]], kind="stable")]
    return np.sort(clips[order[:number]])
