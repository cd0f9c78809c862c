"""What a measure is: a definition with a source, a cost known beforehand, and numbers a clip.

A measure is a small class in a file of its own. It asks a `Subject` about `Clips` and returns a `Finding`. Numbers are
kept clip by clip, so that intervals over clips and seeds can be had later, and models be compared in pairs. A measure
that renders clips of its own has a row for each of those instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from baselines import ClipModel
from hybrid.analysis.subject import Clips, Subject


@dataclass(frozen=True, eq=False)
class Curve:
    """A function of x for each clip: y_NX over x_X. Labels name the quantity and its unit."""

    x_X: np.ndarray
    y_NX: np.ndarray
    x_label: str
    y_label: str


@dataclass(frozen=True, eq=False)
class Matrix:
    """One number for each pair of a row and a column, by their names."""

    value_RC: np.ndarray
    rows: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Finding:
    """What one measure says of one subject.

    figures: by name, a number a clip, (N,), NaN where a clip has none; their means are what tables show.
    overall: by name, a number of all clips together, where no clip has one by itself; NaN where there is none.
    curves, matrices: what figures are drawn of.
    Names end in their unit, as 'distance (s)', unless they are a ratio.
    """

    figures: dict[str, np.ndarray] = field(default_factory=dict)
    overall: dict[str, float] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    matrices: dict[str, Matrix] = field(default_factory=dict)


class Measure:
    """Interface of all measures. Subclasses set the four strings and implement `passes` and `measure`."""

    name: str
    """of files and options: 'receptive_field'"""
    title: str
    """of tables and figures"""
    source: str
    """where the definition is from"""
    unit: str
    """of its first figure, '' for a ratio"""

    def applies_to(self, model: ClipModel) -> bool:
        """Whether the model has what is measured; measures of the function alone apply to all."""
        return True

    def passes(self, model: ClipModel, num_frames: int) -> float:
        """Forward passes a clip costs, a backward pass counted as two: what the estimate of time is made of."""
        raise NotImplementedError

    def passes_once(self, model: ClipModel, num_frames: int) -> float:
        """Forward passes that it costs beside, however many clips there are."""
        return 0

    def measure(self, subject: Subject, clips: Clips, batch_size: int = 16) -> Finding:
        """The finding for all clips; deterministic."""
        raise NotImplementedError
