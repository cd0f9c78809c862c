"""What every part of the page is drawn with: the plan of the analysis, and each model's title and colour."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hybrid import get_entry
from hybrid.analysis.plan import AnalysisPlan
from hybrid.display.figures import FAMILY_COLOURS, title_of


@dataclass(frozen=True)
class ModelStyle:
    """What a model is called and which colour it has, in all figures and tables."""

    title: str
    family: str

    @property
    def colour(self) -> str:
        return FAMILY_COLOURS[self.family]


@dataclass(frozen=True, eq=False)
class PageContext:
    """styles: by label, in the order in which models are shown."""

    plan: AnalysisPlan
    styles: Mapping[str, ModelStyle]

    @classmethod
    def of(cls, plan: AnalysisPlan) -> Self:
        """A variant of a model has its label as its title."""
        models = plan.models.items()
        return cls(plan, {label: ModelStyle(title_of(label, name), get_entry(name).family) for label, name in models})

    @property
    def figures(self) -> Path:
        return self.plan.folder / "figures"

    def title(self, label: str) -> str:
        return self.styles[label].title

    def colour(self, label: str) -> str:
        return self.styles[label].colour


def slug(text: str) -> str:
    """As a file name and as an id: 'mean lag, freeze (s)' is 'mean-lag-freeze-s'."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
