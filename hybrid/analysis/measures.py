"""All measures, in the order in which they are reported."""

from __future__ import annotations

from hybrid.analysis.measure import Measure
from hybrid.analysis.temporal.attention_distance import AttentionDistance
from hybrid.analysis.temporal.attention_entropy import AttentionEntropy
from hybrid.analysis.temporal.beat_sweep import BeatSweep
from hybrid.analysis.temporal.cka import LayerSimilarity
from hybrid.analysis.temporal.frequency import FrequencyResponse
from hybrid.analysis.temporal.interaction import PairwiseInteraction
from hybrid.analysis.temporal.occlusion import FrameOcclusion
from hybrid.analysis.temporal.probing import TemporalProbing
from hybrid.analysis.temporal.receptive_field import ReceptiveField
from hybrid.analysis.temporal.units import StaticDynamicUnits

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        ReceptiveField(),
        PairwiseInteraction(),
        FrameOcclusion(),
        TemporalProbing(),
        FrequencyResponse(),
        BeatSweep(),
        LayerSimilarity(),
        StaticDynamicUnits(),
        AttentionDistance(),
        AttentionEntropy(),
    )
}
"""by name; the last two are of attention over time, the others of any model"""
