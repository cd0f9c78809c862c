"""What each model is called and which colour it has, in all figures and tables of an analysis."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hybrid import get_entry
from hybrid.analysis.study import Study
from hybrid.display.figures import FAMILY_COLOURS, title_of


@dataclass(frozen=True)
class Look:
    title: str
    family: str

    @property
    def colour(self) -> str:
        return FAMILY_COLOURS[self.family]


def looks(study: Study) -> dict[str, Look]:
    """By label. A variant of a model has its label as its title."""
    return {label: Look(title_of(label, model), get_entry(model).family) for label, model in study.models.items()}


def slug(text: str) -> str:
    """As a file name and as an id: 'mean lag, freeze (s)' is 'mean-lag-freeze-s'."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
