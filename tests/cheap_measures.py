"""Every measure at settings that take a second, and the clips to ask it about."""

from toy_models import noise_clips

from hybrid.analysis.measures.frame_occlusion import FrameOcclusion
from hybrid.analysis.measures.frequency import BeatSweep, FrequencyResponse
from hybrid.analysis.measures.interaction import PairwiseInteraction
from hybrid.analysis.measures.probing import TemporalProbing
from hybrid.analysis.measures.receptive_field import ReceptiveField
from hybrid.analysis.measures.units import StaticDynamicUnits
from hybrid.analysis.registry import ATTENTION, TIME

CHEAP = (
    TIME.measures
    | ATTENTION.measures
    | {
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
)
CLIPS = noise_clips(2, frames=8, grades=5, side=64)
