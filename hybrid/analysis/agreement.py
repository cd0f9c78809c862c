"""Whether measures that go about it differently find the same frames important: computed from their results."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from hybrid.analysis.base import Measure, MeasureResult
from hybrid.analysis.comparison import Comparison
from hybrid.analysis.measures.randomisation import spearman

SOURCES = {
    "receptive_field": ("receptive field", "frames"),
    "occlusion": ("occlusion", "effect, freeze"),
    "frame_mass_integrated_gradients_blur": ("integrated gradients", "share"),
}
"""by measure, its short name and the curve over frames that stands for it"""


class FrameAgreement(Measure):
    """Spearman's correlation over the frames of a clip between what two measures say of each frame, 1 to -1.

    Of the receptive field the frame's share of all influence, of frame occlusion the change of the answer without it,
    of integrated gradients its share of relevance. Measures that agree may be wrong together; where they do not, what
    one of them says of single frames is its own. It costs nothing: the answers are those of the measures.
    """

    name = "frame_agreement"
    title = "Agreement of measures on frames"
    source = "rank correlation as in Adebayo et al.: Sanity checks for saliency maps, NeurIPS 2018"

    def least(self, name: str) -> float:
        return -1


def frame_agreement(comparisons: Mapping[str, Comparison]) -> Comparison | None:
    """None where fewer than two of the measures have results."""
    there = {name: comparisons[name] for name in SOURCES if name in comparisons}
    results: dict[str, list] = {}
    for label in dict.fromkeys(label for comparison in there.values() for label in comparison.labels):
        for run, _ in next(iter(there.values())).results.get(label, []):
            importance_NT = {}
            for name, comparison in there.items():
                short, curve = SOURCES[name]
                of_run = {run.name: result.curves for run, result in comparison.results.get(label, [])}
                if curve in of_run.get(run.name, {}):
                    importance_NT[short] = of_run[run.name][curve].y_NX
            figures = {f"{one} and {other}": rho_N for (one, other), rho_N in agreement(importance_NT).items()}
            if figures:
                results.setdefault(label, []).append((run, MeasureResult(figures=figures)))
    return Comparison(FrameAgreement(), results) if results else None


def agreement(importance_NT: Mapping[str, np.ndarray]) -> dict[tuple[str, str], np.ndarray]:
    """Spearman's correlation over the frames, (N,) for each pair of measures: how alike they rank a clip's frames.

    importance_NT: by measure, one number for each frame and clip. NaN for a clip where one of the two has no order, all
    frames being equal.
    """
    shapes = {name: np.shape(importance) for name, importance in importance_NT.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"importances must be of the same clips and frames, got {shapes}")
    return {
        (one, other): spearman(importance_NT[one], importance_NT[other])
        for one, other in combinations(importance_NT, 2)
    }
