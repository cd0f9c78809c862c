"""What is measured of relevance: by frame, by part of the cell, in time; this is the one list of it."""

from hybrid.analysis.attributions import ATTRIBUTIONS
from hybrid.analysis.measure import Measure
from hybrid.analysis.relevance.frame_mass import FrameMass, IntegratedFrameMass, PathwayFrameMass
from hybrid.analysis.relevance.localisation import Localisation
from hybrid.analysis.relevance.temporal_rollout import TemporalRollout

RELEVANCE_MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        IntegratedFrameMass(ATTRIBUTIONS["integrated_gradients"]),
        IntegratedFrameMass(ATTRIBUTIONS["integrated_gradients_blur"]),
        PathwayFrameMass(ATTRIBUTIONS["grad_cam"]),
        FrameMass(ATTRIBUTIONS["transformer_explainability"]),
        TemporalRollout(),
        *(Localisation(attribution) for attribution in ATTRIBUTIONS.values()),
    )
}
"""by name; `applies_to` says which models each is for"""
