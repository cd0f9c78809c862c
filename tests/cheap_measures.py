"""Every measure at settings that take a second, and the clips to ask it about."""

from toy_models import noise_clips

from hybrid.analysis.measures import MEASURES
from hybrid.analysis.temporal.beat_sweep import BeatSweep
from hybrid.analysis.temporal.frequency import FrequencyResponse
from hybrid.analysis.temporal.interaction import PairwiseInteraction
from hybrid.analysis.temporal.occlusion import FrameOcclusion
from hybrid.analysis.temporal.probing import TemporalProbing
from hybrid.analysis.temporal.receptive_field import ReceptiveField
from hybrid.analysis.temporal.units import StaticDynamicUnits

CHEAP = MEASURES | {
    measure.name: measure
    for measure in (
        ReceptiveField(projections=1),
        PairwiseInteraction(fills=("mean",)),
        FrameOcclusion(fills=("freeze",), random_orders=1),
        TemporalProbing(draws=1),
        FrequencyResponse(),
        BeatSweep(num_cells=1),
        StaticDynamicUnits(num_pairs=4),
    )
}
CLIPS = noise_clips(2, frames=8, grades=5, side=64)
