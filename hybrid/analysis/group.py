"""Measures that are asked and reported together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hybrid.analysis.measure import Measure


@dataclass(frozen=True)
class Group:
    """name: as options spell it. about: a sentence for the page.

    few: they are so dear that a few clips must do. needs_masks: they are of head and tail. of_methods: they tell of
    methods and not of models, so that models are not compared by them.
    """

    name: str
    title: str
    about: str
    measures: Mapping[str, Measure]
    few: bool = False
    needs_masks: bool = False
    of_methods: bool = False
