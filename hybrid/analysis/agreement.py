"""Whether measures that go about it differently find the same frames important."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from hybrid.analysis.sanity.similarity import spearman


def agreement(importance_NT: Mapping[str, np.ndarray]) -> dict[tuple[str, str], np.ndarray]:
    """Spearman's correlation over the frames, (N,) a pair of measures: how alike two measures rank a clip's frames.

    importance_NT: by measure, one number a frame and clip: curve 'frames' of the receptive field, 'effect, ...' of
    the occlusion, the mass of an attribution. NaN for a clip where one of the two has no order, all frames being equal.
    Adebayo et al. (Sanity checks for saliency maps, NeurIPS 2018) compare maps so.
    """
    shapes = {name: np.shape(importance) for name, importance in importance_NT.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"importances must be of the same clips and frames, got {shapes}")
    return {
        (one, other): spearman(importance_NT[one], importance_NT[other])
        for one, other in combinations(importance_NT, 2)
    }
