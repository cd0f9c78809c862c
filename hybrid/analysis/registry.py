"""All that models can be asked, in the groups in which it is reported, by the names that options and files use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hybrid.analysis.attribution import Attribution
from hybrid.analysis.attributions import ATTRIBUTIONS
from hybrid.analysis.group import Group
from hybrid.analysis.measures import MEASURES
from hybrid.analysis.relevance import RELEVANCE_MEASURES
from hybrid.analysis.sanity.randomisation import of_attribution, of_curve
from hybrid.errors import UserError

NATIVE = ("attention_distance", "attention_entropy", "temporal_rollout")
"""measures of attention over time, which not every model has"""
SHUFFLED_MAPS = (
    "grad_cam",
    "gradient_input",
    "integrated_gradients_blur",
    "attention_rollout",
    "transformer_explainability",
)
SHUFFLED_CURVES = (("receptive_field", "by lag"), ("frequency", "motion"))


def all_groups() -> tuple[Group, ...]:
    everything = MEASURES | RELEVANCE_MEASURES
    attention = {name: everything[name] for name in NATIVE}
    parts = {name: one for name, one in everything.items() if name.startswith("localisation_")}
    frames = {name: one for name, one in RELEVANCE_MEASURES.items() if name not in attention | parts}
    shuffled = [of_attribution(ATTRIBUTIONS[name]) for name in SHUFFLED_MAPS]
    shuffled += [of_curve(MEASURES[name], curve) for name, curve in SHUFFLED_CURVES]
    return (
        Group("time", "Time", "The same questions to every model, as a function from a clip to an answer.", {
            name: one for name, one in MEASURES.items() if name not in attention
        }),
        Group("attention", "Attention over time", "Native to models with such attention, and so secondary.", attention),
        Group("frames", "Relevance by frame", "Which frames speak for the answer, by several methods.", frames),
        Group("parts", "Head and tail", "Which part of the cell speaks for the answer.", parts, needs_masks=True),
        Group(
            "sanity",
            "Sanity checks",
            "What an answer is worth: does it change when the model forgets what it has learned?",
            {one.name: one for one in shuffled},
            few=True,
            of_methods=True,
        ),
    )  # fmt: skip


def all_attributions() -> dict[str, Attribution]:
    return ATTRIBUTIONS


def chosen_groups(groups: Sequence[Group], names: Sequence[str]) -> tuple[Group, ...]:
    """Those of these names, of groups or single measures; all without names."""
    known = [group.name for group in groups] + [name for group in groups for name in group.measures]
    _check(names, known, "measure")
    kept = (
        group if group.name in names or not names else replace(group, measures=_of(group.measures, names))
        for group in groups
    )
    return tuple(group for group in kept if group.measures)


def chosen_methods(known: Mapping[str, Attribution], names: Sequence[str]) -> dict[str, Attribution]:
    """Those of these names; all without names, none of the name 'none'."""
    _check(names, [*known, "none"], "method")
    return _of(known, names) if names else dict(known)


def _of(known: Mapping, names: Sequence[str]) -> dict:
    return {name: one for name, one in known.items() if name in names}


def _check(names: Sequence[str], known: Sequence[str], what: str) -> None:
    if unknown := [name for name in names if name not in known]:
        raise UserError(f"no {what} is named {unknown[0]!r}; there are: {', '.join(known)}")
