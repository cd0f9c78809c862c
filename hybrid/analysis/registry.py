"""All attributions and measures, by the names that options and files use: the one list of each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hybrid.analysis.attributions import gradients
from hybrid.analysis.attributions.attention_flow import AttentionRollout, TransformerExplainability
from hybrid.analysis.attributions.grad_cam import GradCAM
from hybrid.analysis.attributions.gradients import GradientInput
from hybrid.analysis.attributions.occlusion import Occlusion
from hybrid.analysis.base import Attribution, MeasureGroup, Method
from hybrid.analysis.measures.attention import AttentionDistance, AttentionEntropy, TemporalRollout
from hybrid.analysis.measures.cka import LayerSimilarity
from hybrid.analysis.measures.frame_mass import FrameMass, IntegratedFrameMass, PathwayFrameMass
from hybrid.analysis.measures.frame_occlusion import FrameOcclusion
from hybrid.analysis.measures.frequency import BeatSweep, FrequencyResponse
from hybrid.analysis.measures.interaction import PairwiseInteraction
from hybrid.analysis.measures.localisation import Localisation
from hybrid.analysis.measures.probing import TemporalProbing
from hybrid.analysis.measures.randomisation import Randomisation
from hybrid.analysis.measures.receptive_field import ReceptiveField
from hybrid.analysis.measures.units import StaticDynamicUnits
from hybrid.names import check_names


def _by_name(*methods: Method) -> dict[str, Any]:
    return {method.name: method for method in methods}


ATTRIBUTIONS: dict[str, Attribution] = _by_name(
    GradCAM(),
    gradients.from_temporal_mean(),
    gradients.from_blur(),
    Occlusion(),
    GradientInput(),
    AttentionRollout(),
    AttentionRollout(measured=True),
    TransformerExplainability(),
)
"""by name, as options and files spell it; `applies_to` says which models a method is for"""

TIME = MeasureGroup(
    "time",
    "Time",
    "The same questions to every model, as a function from a clip to an answer.",
    _by_name(
        ReceptiveField(),
        PairwiseInteraction(),
        FrameOcclusion(),
        TemporalProbing(),
        FrequencyResponse(),
        BeatSweep(),
        LayerSimilarity(),
        StaticDynamicUnits(),
    ),
)
ATTENTION = MeasureGroup(
    "attention",
    "Attention over time",
    "Native to models with such attention, and so secondary.",
    _by_name(AttentionDistance(), AttentionEntropy(), TemporalRollout()),
)
FRAMES = MeasureGroup(
    "frames",
    "Relevance by frame",
    "Which frames speak for the answer, by several methods.",
    _by_name(
        IntegratedFrameMass(ATTRIBUTIONS["integrated_gradients"]),
        IntegratedFrameMass(ATTRIBUTIONS["integrated_gradients_blur"]),
        PathwayFrameMass(ATTRIBUTIONS["grad_cam"]),
        FrameMass(ATTRIBUTIONS["transformer_explainability"]),
    ),
)
PARTS = MeasureGroup(
    "parts",
    "Head and tail",
    "Which part of the cell speaks for the answer.",
    _by_name(*(Localisation(attribution) for attribution in ATTRIBUTIONS.values())),
    needs_masks=True,
)
CHECKED = ("grad_cam", "gradient_input", "integrated_gradients_blur", "attention_rollout", "transformer_explainability")
SANITY = MeasureGroup(
    "sanity",
    "Sanity checks",
    "What an answer is worth: does it change when the model forgets what it has learned?",
    _by_name(
        *(Randomisation(ATTRIBUTIONS[name]) for name in CHECKED),
        Randomisation(TIME.measures["receptive_field"], "by lag"),
        Randomisation(TIME.measures["frequency"], "motion"),
    ),
    few=True,
    of_methods=True,
)
GROUPS = (TIME, ATTENTION, FRAMES, PARTS, SANITY)
"""all measures, in the order of the results page"""


def chosen_groups(groups: Sequence[MeasureGroup], names: Sequence[str]) -> tuple[MeasureGroup, ...]:
    """Those of these names, of groups or single measures; all without names."""
    known = [group.name for group in groups] + [name for group in groups for name in group.measures]
    check_names("measure", names, known)
    kept = (
        group if group.name in names or not names else replace(group, measures=_of(group.measures, names))
        for group in groups
    )
    return tuple(group for group in kept if group.measures)


def chosen_methods(known: Mapping[str, Attribution], names: Sequence[str]) -> dict[str, Attribution]:
    """Those of these names; all without names, none of the name 'none'."""
    check_names("method", names, [*known, "none"])
    return _of(known, names) if names else dict(known)


def _of(known: Mapping, names: Sequence[str]) -> dict:
    return {name: one for name, one in known.items() if name in names}
