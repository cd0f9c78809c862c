"""Curves of all models, a panel each: over frames, lags, frequencies, layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from hybrid.analysis.answers import Answers, Curves
from hybrid.display.figures import INK, Picture, panels, picture, styled
from hybrid.display.tables import significant
from hybrid.report.analysis.look import Look, slug

CAPTION = (
    "A panel a model, on the same axes; the other models' means lie behind it in grey. Thick: mean over the trained "
    "models, thin: each of them, band: 95 % interval over clips. Image models are cut where they lie off the others."
)


@styled
def draw_curves(answers: Answers, name: str, looks: dict[str, Look], folder: Path) -> Picture:
    found = {label: answers.curves(label, name) for label in answers.labels}
    found = {label: curves for label, curves in found.items() if curves is not None}
    first = next(iter(found.values()))
    figure, all_axes = panels(len(found), 1.2, first.x_label, first.y_label)
    for axes, label in zip(all_axes, found, strict=True):
        for other, curves in found.items():
            if other != label:
                axes.plot(curves.x_X, curves.mean_X, color=INK, alpha=0.25, linewidth=0.8)
        _draw(axes, found[label], looks[label].colour)
        axes.set_title(looks[label].title, fontsize=9, loc="right")  # a factor of the axis stands on the left
        axes.grid()
    all_axes[0].xaxis.set_major_locator(MaxNLocator(nbins=4))
    all_axes[0].yaxis.set_major_locator(MaxNLocator(nbins=4))
    all_axes[0].ticklabel_format(axis="y", scilimits=(-2, 3))
    _cut_image_models(all_axes[0], [curves for label, curves in found.items() if looks[label].family != "image"])
    return picture(
        figure,
        folder,
        f"{answers.measure.name}-curve-{slug(name)}",
        f"{answers.measure.title}: {name}",
        f"{first.y_label} against {first.x_label} for {len(found)} models. "
        + "; ".join(f"{looks[label].title}: {_in_words(curves)}" for label, curves in found.items()),
        CAPTION,
    )


def _cut_image_models(axes, others: list[Curves]) -> None:
    """Models of one frame have all there is in one place, beside which nothing of the others would be seen."""
    ends = np.array([e.intervals[1] for curves in others for e in curves.estimate_X] + [[np.nan] * 2]).ravel()
    values = np.concatenate([ends, *(curves.y_RX.ravel() for curves in others)])
    if np.isfinite(values).any():
        low, high = np.nanmin(values), np.nanmax(values)
        room = 0.06 * (high - low) or 0.5
        axes.set_ylim(low - room, high + room)


def _draw(axes, curves: Curves, colour: str) -> None:
    low_X, high_X = np.array([estimate.intervals[1] for estimate in curves.estimate_X]).T
    axes.fill_between(curves.x_X, low_X, high_X, color=colour, alpha=0.2, linewidth=0)
    if len(curves.y_RX) > 1:
        axes.plot(curves.x_X, curves.y_RX.T, color=colour, alpha=0.35, linewidth=0.6)
    axes.plot(curves.x_X, curves.mean_X, "o-", color=colour, linewidth=1.6, markersize=2)


def _in_words(curves: Curves) -> str:
    if np.isnan(curves.mean_X).all():
        return "no values"
    low, high = np.nanargmin(curves.mean_X), np.nanargmax(curves.mean_X)
    return (
        f"from {significant(curves.mean_X[low])} at {significant(curves.x_X[low])} "
        f"to {significant(curves.mean_X[high])} at {significant(curves.x_X[high])}"
    )
