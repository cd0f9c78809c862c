"""Head, midpiece and tail: how much relevance each has, as bars for every model and method."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid.analysis.answers import Answers
from hybrid.display.figures import INK, Picture, new_figure, picture, styled
from hybrid.display.tables import significant
from hybrid.report.analysis.look import Look

PARTS = ("head", "midpiece", "tail")
HATCHES = ("", "////", "....", "xxxx", "----", "||||")
"""what tells models of one family, and so of one colour, apart"""
BAR = {"alpha": 0.75, "linewidth": 0, "edgecolor": "white"}


@dataclass(frozen=True)
class Kind:
    """A figure that each part has, as 'lift head'. neutral: its value where relevance knows nothing of the cell."""

    name: str
    title: str
    label: str
    neutral: float | None
    caption: str


KINDS = (
    Kind(
        "lift",
        "Relevance on head, midpiece and tail",
        "lift (times the mean pixel's)",
        1.0,
        "Bars: share of relevance on the part over its share of the area. 1 (the line) is what relevance that knows "
        "nothing of the cell has.",
    ),
    Kind(
        "hit",
        "Pointing game",
        "share of frames",
        None,
        "Bars: share of the frames whose most relevant pixel lies on the part; chance is the part's share of the area.",
    ),
)


@styled
def draw_parts(methods: Sequence[Answers], kind: Kind, looks: dict[str, Look], folder: Path) -> Picture:
    """A panel a method; in it the parts, and a bar a model that the method is for."""
    across = min(2, len(methods))
    down = math.ceil(len(methods) / across)
    figure = new_figure(0.5 + 1.45 * down)
    all_axes = figure.subplots(down, across, sharex=True, squeeze=False).ravel()
    hatches, words = _hatches(looks), []
    for axes, answers in zip(all_axes, methods, strict=False):
        words += [f"{method_of(answers)}, {text}" for text in _bars(axes, answers, kind, looks, hatches)]
        if kind.neutral is not None:
            axes.axhline(kind.neutral, color=INK, linewidth=0.7, alpha=0.7)
        axes.set_title(textwrap.fill(method_of(answers), 30), fontsize=8.5)
        axes.set_xticks(range(len(PARTS)), PARTS, fontsize=8)
        axes.grid(axis="y")
    for axes in all_axes[len(methods) :]:
        axes.set_axis_off()
    for label, look in looks.items():
        if any(label in answers.labels for answers in methods):
            all_axes[0].bar([0], [0], color=look.colour, hatch=hatches[label], label=look.title, **BAR)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    figure.supylabel(kind.label, fontsize=9)
    return picture(
        figure,
        folder,
        f"parts-{kind.name}",
        kind.title,
        "; ".join(words),
        f"{kind.caption} Lines: 95 % interval over trained models, over clips where there is one training, cut at "
        "the frame. Only models in one panel are compared by one method.",
    )


def _bars(axes, answers: Answers, kind: Kind, looks: dict[str, Look], hatches: dict[str, str]) -> list[str]:
    """Draw the bars of one method; returns what they say, a model each."""
    width, highest, words = 0.8 / len(answers.labels), kind.neutral or 0.0, []
    for place, label in enumerate(answers.labels):
        estimates = [answers.estimate(label, f"{kind.name} {part}") for part in PARTS]
        x, means = np.arange(len(PARTS)) - 0.4 + width * (place + 0.5), [e.mean for e in estimates]
        axes.bar(x, means, 0.9 * width, color=looks[label].colour, hatch=hatches[label], **BAR)
        for position, estimate in zip(x, estimates, strict=True):
            over_runs, over_clips = estimate.intervals
            low, high = over_runs if np.isfinite(over_runs[0]) else over_clips
            axes.plot([position] * 2, [max(0, low), high], color=INK, linewidth=0.9)
        highest = max([highest, *(mean for mean in means if np.isfinite(mean))])
        values = ", ".join(f"{part} {significant(mean)}" for part, mean in zip(PARTS, means, strict=True))
        words.append(f"{looks[label].title}: {values}")
    axes.set_ylim(0, 1.5 * highest or 1)  # an interval of two trainings can be a hundred times as high
    return words


def method_of(answers: Answers) -> str:
    """The method, which the titles of these measures end in."""
    return answers.measure.title.rpartition(", ")[2]


def _hatches(looks: dict[str, Look]) -> dict[str, str]:
    families = [look.family for look in looks.values()]
    return {
        label: HATCHES[families[:place].count(look.family) % len(HATCHES)]
        for place, (label, look) in enumerate(looks.items())
    }
