"""What differs between the models and what does not, in words that say no more than the intervals do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hybrid.analysis.answers import Answers
from hybrid.analysis.estimates import Estimate
from hybrid.display.tables import significant
from hybrid.report.analysis.look import Look


@dataclass(frozen=True)
class Comparison:
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
class Pair:
    """All comparisons of two models, by what they came to and then by their measure."""

    first: str
    second: str
    first_higher: dict[str, list[Comparison]]
    second_higher: dict[str, list[Comparison]]
    not_shown: dict[str, list[Comparison]]


def comparisons(
    answers: Answers, figures: Sequence[str], picture: str, pairs: Sequence[tuple[str, str]], by: str = ""
) -> list[Comparison]:
    """Of those of the figures that both models of a pair have. by: the method, where the figures do not say it."""
    found = []
    for figure in figures:
        for first, second in pairs:
            if first not in answers.labels or second not in answers.labels:
                continue
            difference = answers.difference(first, second, figure)
            if np.isfinite(difference.mean):
                means = [answers.estimate(label, figure).mean for label in (first, second)]
                title, what = answers.measure.title.removesuffix(f", {by}"), f"{figure}, {by}" if by else figure
                found.append(Comparison(title, what, picture, first, second, *means, difference))
    return found


def by_pair(found: Sequence[Comparison], pairs: Sequence[tuple[str, str]]) -> list[Pair]:
    """Pairs that have been compared in anything."""
    sorted_out = []
    for first, second in pairs:
        own = [one for one in found if (one.first, one.second) == (first, second)]
        if own:
            higher = {
                label: [one for one in own if one.difference.differs and one.higher == label]
                for label in (first, second)
            }
            not_shown = [one for one in own if not one.difference.differs]
            sorted_out.append(Pair(first, second, *map(_by_title, (higher[first], higher[second], not_shown))))
    return sorted_out


def _by_title(found: Sequence[Comparison]) -> dict[str, list[Comparison]]:
    titles = dict.fromkeys(one.title for one in found)
    return {title: [one for one in found if one.title == title] for title in titles}


def sentence(one: Comparison, looks: dict[str, Look]) -> str:
    first, second, difference = looks[one.first].title, looks[one.second].title, one.difference
    means = f"{first} {significant(one.first_mean)}, {second} {significant(one.second_mean)}"
    reach = f"{first} minus {second} {_signed(difference.mean)}, {_intervals(difference)}"
    if difference.differs:
        return f"{one.figure}: higher in {looks[one.higher].title} ({means}; {reach})."
    return f"{one.figure}: not shown to differ between {first} and {second} ({means}; {reach})."


def caution(found: Sequence[Comparison]) -> str:
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
    parts = [
        f"95 % over {over} {_signed(low)} to {_signed(high)}"
        for over, (low, high) in zip(
            (f"{difference.runs} trained models", f"{difference.clips} clips"), difference.intervals, strict=True
        )
        if np.isfinite(low)
    ]
    return ", ".join(parts) or "no interval: one training and one clip or group of clips"


def _signed(value: float) -> str:
    return f"{value:+.3g}"
