"""The figures of a measure as dots with their intervals, a panel a figure and a row a model."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from hybrid.analysis.answers import Answers
from hybrid.display.figures import Picture, new_figure, picture, styled
from hybrid.display.tables import significant
from hybrid.report.analysis.look import Look

ACROSS = 2


@styled
def draw_intervals(answers: Answers, names: list[str], looks: dict[str, Look], folder: Path) -> Picture:
    labels = answers.labels
    down = math.ceil(len(names) / ACROSS)
    figure = new_figure(0.2 + down * (0.62 + 0.17 * len(labels)))
    all_axes = figure.subplots(down, min(ACROSS, len(names)), sharey=True, squeeze=False).ravel()
    words = []
    for axes, name in zip(all_axes, names, strict=False):
        estimates = {label: answers.estimate(label, name) for label in labels}
        for row, (label, estimate) in enumerate(estimates.items()):
            colour = looks[label].colour
            (run_low, run_high), (clip_low, clip_high) = estimate.intervals
            axes.plot([run_low, run_high], [row - 0.14] * 2, color=colour, linewidth=2)
            axes.plot([clip_low, clip_high], [row + 0.14] * 2, ":", color=colour, linewidth=1.6)
            axes.plot(estimate.mean, row, "o", color=colour, markersize=5)
        axes.set_title(textwrap.fill(name, 30), fontsize=8.5)
        axes.set_yticks(range(len(labels)), [looks[label].title for label in labels], fontsize=8)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
        axes.ticklabel_format(axis="x", scilimits=(-2, 3))
        axes.xaxis.offsetText.set_fontsize(7)
        axes.tick_params(axis="x", labelsize=8)
        _keep_in_view(axes, [estimate.mean for estimate in estimates.values()])
        axes.grid(axis="x")
        means = ", ".join(f"{looks[label].title} {significant(e.mean)}" for label, e in estimates.items())
        words.append(f"{name}: {means}")
    for axes in all_axes[len(names) :]:
        axes.set_axis_off()
    return picture(
        figure,
        folder,
        f"{answers.measure.name}-figures",
        f"{answers.measure.title}: models compared",
        "Dots with intervals. " + "; ".join(words) + ". The figures are in the table of all measures.",
        "Dots: mean. Solid: 95 % interval over trained models (none with one training); dotted: over clips. Intervals "
        "that reach far beyond the means are cut at the frame; axes do not start at zero.",
    )


def _keep_in_view(axes, means: list[float]) -> None:
    """With two or three trainings an interval may be many times as wide as all differences."""
    known = np.array([mean for mean in means if np.isfinite(mean)])
    if not len(known):
        return
    spread = max(np.ptp(known), 0.1 * np.abs(known).max(), 1e-9)
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, known.min() - 1.5 * spread), min(high, known.max() + 1.5 * spread))
