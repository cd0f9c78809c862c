"""What differs between the models and what does not, in words that say no more than the intervals do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hybrid.analysis.comparison import Comparison
from hybrid.analysis.page.context import PageContext
from hybrid.display.tables import significant
from hybrid.evaluation.estimates import Estimate


@dataclass(frozen=True)
class ModelDifference:
    """One figure of two models; difference: first minus second. picture: the name of the one that shows it."""

    title: str
    figure: str
    picture: str
    first: str
    second: str
    first_mean: float
    second_mean: float
    difference: Estimate

    @property
    def higher(self) -> str:
        return self.first if self.difference.mean > 0 else self.second


@dataclass(frozen=True)
class PairDifferences:
    """All differences of two models, by which is higher and then by their measure."""

    first: str
    second: str
    first_higher: dict[str, list[ModelDifference]]
    second_higher: dict[str, list[ModelDifference]]
    not_shown: dict[str, list[ModelDifference]]


def differences(
    comparison: Comparison, figures: Sequence[str], picture: str, pairs: Sequence[tuple[str, str]], by: str = ""
) -> list[ModelDifference]:
    """Of those of the figures that both models of a pair have. by: the method, where the figures do not say it."""
    found = []
    for figure in figures:
        for first, second in pairs:
            if first not in comparison.labels or second not in comparison.labels:
                continue
            difference = comparison.difference(first, second, figure)
            if np.isfinite(difference.mean):
                means = [comparison.estimate(label, figure).mean for label in (first, second)]
                title, what = comparison.measure.title.removesuffix(f", {by}"), f"{figure}, {by}" if by else figure
                found.append(ModelDifference(title, what, picture, first, second, *means, difference))
    return found


def by_pair(found: Sequence[ModelDifference], pairs: Sequence[tuple[str, str]]) -> list[PairDifferences]:
    """Pairs that have been compared in anything."""
    sorted_out = []
    for first, second in pairs:
        if own := [one for one in found if (one.first, one.second) == (first, second)]:
            kinds = [_by_title(own, higher) for higher in (first, second, None)]
            sorted_out.append(PairDifferences(first, second, *kinds))
    return sorted_out


def _by_title(found: Sequence[ModelDifference], higher: str | None) -> dict[str, list[ModelDifference]]:
    """Those that show this model to be the higher one; None: those that show neither to be."""
    of_title: dict[str, list[ModelDifference]] = {}
    for one in found:
        if (one.higher if one.difference.differs else None) == higher:
            of_title.setdefault(one.title, []).append(one)
    return of_title


def sentence(one: ModelDifference, page: PageContext) -> str:
    first, second, difference = page.title(one.first), page.title(one.second), one.difference
    means = f"{first} {significant(one.first_mean)}, {second} {significant(one.second_mean)}"
    reach = f"{first} minus {second} {difference.mean:+.3g}, {_intervals(difference)}"
    if difference.differs:
        return f"{one.figure}: higher in {page.title(one.higher)} ({means}; {reach})."
    return f"{one.figure}: not shown to differ between {first} and {second} ({means}; {reach})."


CLEAREST = 3
"""differences of a pair that the summary names"""


def summary(found: Sequence[ModelDifference], pairs: Sequence[tuple[str, str]], page: PageContext) -> list[str]:
    """A sentence or two for each pair: how many figures differ, and the clearest, one a measure.

    A difference is as clear as it is large beside the wider of its intervals.
    """
    told = []
    for first, second in pairs:
        own = [one for one in found if (one.first, one.second) == (first, second)]
        differing = sorted((one for one in own if one.difference.differs), key=_clearness, reverse=True)
        if not own:
            continue
        text = f"{page.title(first)} and {page.title(second)}: {len(differing)} of {len(own)} figures differ."
        clearest_of_title: dict[str, ModelDifference] = {}
        for one in differing:
            clearest_of_title.setdefault(one.title, one)
        named = [
            f"{one.title}, {one.figure} (higher in {page.title(one.higher)}: "
            f"{' against '.join(map(significant, sorted((one.first_mean, one.second_mean), reverse=True)))})"
            for one in [*clearest_of_title.values()][:CLEAREST]
        ]
        told.append(text + (f" The clearest: {'; '.join(named)}." if named else ""))
    return told


def _clearness(one: ModelDifference) -> float:
    widths = [high - low for low, high in one.difference.intervals if np.isfinite(low)]
    return abs(one.difference.mean) / max([*widths, 1e-12])


def caution(found: Sequence[ModelDifference]) -> str:
    """How many differences chance alone would bring."""
    differing = sum(one.difference.differs for one in found)
    text = (
        f"{differing} of {len(found)} comparisons differ: every 95 % interval that there is leaves zero out. If no "
        f"models differed at all, up to {max(1, round(0.05 * len(found)))} would by chance, and figures of one measure "
        "go together. All are exploratory. 'Not shown to differ' does not mean equal."
    )
    if all(one.difference.runs < 2 for one in found):
        text += " There is one training of each model: another one may turn any of this round."
    return text


def _intervals(difference: Estimate) -> str:
    clips = f"{difference.clips} clips"
    if difference.groups < difference.clips:
        clips += f" of {difference.groups} groups"
    over = (f"{difference.runs} trained models", clips)
    parts = [
        f"95 % over {what} {low:+.3g} to {high:+.3g}"
        for what, (low, high) in zip(over, difference.intervals, strict=True)
        if np.isfinite(low)
    ]
    return ", ".join(parts) or "no interval: one training and one clip or group of clips"
