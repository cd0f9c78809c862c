"""What an analysis is made of: a model under test, its clips, measures with their results, and attributions.

A measure is a small class: a definition with a source, a cost that is known beforehand, and numbers for each clip. It
asks a `ModelUnderTest` about `InputClips` and returns a `MeasureResult`. Numbers are kept clip by clip, so that
intervals over clips and seeds can be computed later and models can be compared in pairs. A measure that renders its own
clips has a row for each of those instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from torch import Tensor

from baselines import ClipModel
from hybrid.data.transforms import Normalisation


@dataclass(frozen=True, eq=False)
class InputClips:
    """The N clips of an analysis, normalised for one model.

    clip_NCTHW: float32. target_NK: NaN in a folder without labels. frame_rate: frames a second. mask_NTHW: uint8 at the
    clips' own size (0 nothing, else the codes of `hybrid.data.masks`), None where a data set has none.
    """

    clip_NCTHW: Tensor
    target_NK: np.ndarray
    names: tuple[str, ...]
    frame_rate: float
    mask_NTHW: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class ModelUnderTest:
    """One trained model, seen as a function from a clip to a distribution over the grades.

    The model is in eval mode with its parameters frozen; gradients with respect to clips and activations exist.
    """

    model: ClipModel
    name: str
    """of the model in the registry"""
    label: str
    """of this one: 'slowfast', 'hybrid window=3'"""
    seed: int
    """distinguishes trainings of one label"""
    normalisation: Normalisation
    """what turns stored frames into the model's input"""

    @property
    def device(self) -> torch.device:
        """Where clips must be; of a model without parameters the CPU."""
        return next((parameter.device for parameter in self.model.parameters()), torch.device("cpu"))

    def distribution(self, clip_BCTHW: Tensor) -> Tensor:
        """(B, K), rows sum to 1."""
        return self.model(clip_BCTHW).float().softmax(-1)

    def expected_grade(self, clip_BCTHW: Tensor) -> Tensor:
        """(B,) from 1, the best, to K: the one number whose changes and gradients the measures look at."""
        dist_BK = self.distribution(clip_BCTHW)
        return dist_BK @ torch.arange(1, dist_BK.shape[-1] + 1).to(dist_BK)


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

    @classmethod
    def mean_of(cls, same: Sequence[Self]) -> Self:
        """Of matrices with the same rows and columns."""
        return cls(np.mean([matrix.value_RC for matrix in same], axis=0), same[0].rows, same[0].columns)


@dataclass(frozen=True, eq=False)
class MeasureResult:
    """What one measure says of one model.

    figures: by name, a number a clip, (N,), NaN where a clip has none; their means are what tables show.
    overall: by name, a number of all clips together, where no clip has one by itself; NaN where there is none.
    curves, matrices: what figures are drawn of.
    Names end in their unit, as 'distance (s)', unless they are a ratio.
    """

    figures: dict[str, np.ndarray] = field(default_factory=dict)
    overall: dict[str, float] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    matrices: dict[str, Matrix] = field(default_factory=dict)


class Method:
    """What measures and attributions have in common. Subclasses set the three strings.

    The docstring of a subclass is its definition on the results page.
    """

    name: str
    """of files and options: 'receptive_field'"""
    title: str
    """of tables and figures"""
    source: str
    """where the definition is from"""
    passes_a_clip: float = 1
    """see `passes`, of those whose cost does not depend on the model"""

    def applies_to(self, model: ClipModel) -> bool:
        """Whether the model has what is asked for; methods for the function alone apply to all."""
        return True

    def passes(self, model: ClipModel, num_frames: int) -> float:
        """Forward passes a clip costs, a backward pass counted as two: what the estimate of time is made of."""
        return self.passes_a_clip

    def passes_once(self, model: ClipModel, num_frames: int) -> float:
        """Forward passes that it costs in addition, whatever the number of clips."""
        return 0


class Measure(Method):
    """Interface of all measures."""

    rendered: bool = False
    """whether it asks about simulated cells of its own, whatever the clips are"""

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        """The result for all clips; deterministic."""
        raise NotImplementedError

    def least(self, name: str) -> float:
        """What a figure or curve of this name can be, where intervals are cut: most are magnitudes, shares or times."""
        return 0.0


class Attribution(Method):
    """Interface of the methods that explain one answer: the relevance of every pixel of every frame for it.

    The answer is the expected grade unless a method says otherwise.
    """

    signed: bool = False
    """whether relevance can be negative; unsigned methods return values from 0 up"""

    def relevance(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> Tensor:
        """(B, T, H, W), raw: at the clip's size, scaled by nothing; zero for frames that a model does not see."""
        raise NotImplementedError


class AttributionMeasure(Measure):
    """What is measured of the maps of one attribution, for the same models and at its cost."""

    def __init__(self, attribution: Attribution):
        self.attribution = attribution

    def applies_to(self, model: ClipModel) -> bool:
        return self.attribution.applies_to(model)

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return self.attribution.passes(model, num_frames)


@dataclass(frozen=True)
class MeasureGroup:
    """Measures that are computed and reported together.

    name: as options spell it. about: a sentence for the page. few: they cost so much that a few clips must do.
    needs_masks: they need masks of head and tail. of_methods: they describe methods, not models, so that models are not
    compared by them.
    """

    name: str
    title: str
    about: str
    measures: Mapping[str, Measure]
    few: bool = False
    needs_masks: bool = False
    of_methods: bool = False
