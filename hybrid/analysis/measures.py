"""All measures, in the order in which they are reported."""

from __future__ import annotations

from hybrid.analysis.measure import Measure
from hybrid.analysis.temporal.interaction import PairwiseInteraction
from hybrid.analysis.temporal.receptive_field import ReceptiveField

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        ReceptiveField(),
        PairwiseInteraction(),
    )
}
