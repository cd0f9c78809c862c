"""The figures of a measure: curves, dots with intervals, matrices, and bars for head and tail."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator

from hybrid.analysis.base import Matrix
from hybrid.analysis.comparison import Comparison, RunCurves
from hybrid.analysis.page.context import PageContext, slug
from hybrid.display.figures import INK, WIDTH, Picture, grid, panels, picture, styled
from hybrid.display.tables import significant

ACROSS = 2
"""panels of intervals beside each other"""
MOST_NAMES = 8
"""numbers that are written beside a matrix"""
PARTS = ("head", "midpiece", "tail")
HATCHES = ("", "////", "....", "xxxx", "----", "||||")
"""what tells models of one family, and so of one colour, apart"""
BAR = {"alpha": 0.75, "linewidth": 0, "edgecolor": "white"}
CURVES_CAPTION = (
    "A panel a model, on the same axes; the other models' means lie behind it in grey. Thick: mean over the trained "
    "models, thin: each of them, band: 95 % interval over clips. Image models are cut where they lie off the others."
)


@styled
def draw_curves(comparison: Comparison, name: str, page: PageContext) -> Picture:
    found = {label: comparison.curves(label, name) for label in comparison.labels}
    found = {label: curves for label, curves in found.items() if curves is not None}
    first = next(iter(found.values()))
    figure, all_axes = panels(len(found), 1.2, first.x_label, first.y_label)
    for axes, label in zip(all_axes, found, strict=True):
        for other, curves in found.items():
            if other != label:
                axes.plot(curves.x_X, curves.mean_X, color=INK, alpha=0.25, linewidth=0.8)
        _draw_curve(axes, found[label], page.colour(label))
        axes.set_title(page.title(label), fontsize=9, loc="right")  # a factor of the axis stands on the left
        axes.grid()
    all_axes[0].xaxis.set_major_locator(MaxNLocator(nbins=4))
    all_axes[0].yaxis.set_major_locator(MaxNLocator(nbins=4))
    all_axes[0].ticklabel_format(axis="y", scilimits=(-2, 3))
    _cut_image_models(all_axes[0], [curves for label, curves in found.items() if page.styles[label].family != "image"])
    return picture(
        figure,
        page.figures,
        f"{comparison.measure.name}-curve-{slug(name)}",
        f"{comparison.measure.title}: {name}",
        f"{first.y_label} against {first.x_label} for {len(found)} models. "
        + "; ".join(f"{page.title(label)}: {_curve_in_words(curves)}" for label, curves in found.items()),
        CURVES_CAPTION,
    )


def _cut_image_models(axes, others: list[RunCurves]) -> None:
    """Models of one frame have all there is in one place, beside which nothing of the others would be seen."""
    ends = np.array([e.intervals[1] for curves in others for e in curves.estimate_X] + [[np.nan] * 2]).ravel()
    values = np.concatenate([ends, *(curves.y_RX.ravel() for curves in others)])
    if np.isfinite(values).any():
        low, high = np.nanmin(values), np.nanmax(values)
        room = 0.06 * (high - low) or 0.5
        axes.set_ylim(low - room, high + room)


def _draw_curve(axes, curves: RunCurves, colour: str) -> None:
    low_X, high_X = np.array([estimate.intervals[1] for estimate in curves.estimate_X]).T
    axes.fill_between(curves.x_X, low_X, high_X, color=colour, alpha=0.2, linewidth=0)
    if len(curves.y_RX) > 1:
        axes.plot(curves.x_X, curves.y_RX.T, color=colour, alpha=0.35, linewidth=0.6)
    axes.plot(curves.x_X, curves.mean_X, "o-", color=colour, linewidth=1.6, markersize=2)


def _curve_in_words(curves: RunCurves) -> str:
    if np.isnan(curves.mean_X).all():
        return "no values"
    low, high = np.nanargmin(curves.mean_X), np.nanargmax(curves.mean_X)
    return (
        f"from {significant(curves.mean_X[low])} at {significant(curves.x_X[low])} "
        f"to {significant(curves.mean_X[high])} at {significant(curves.x_X[high])}"
    )


@styled
def draw_intervals(comparison: Comparison, names: list[str], page: PageContext) -> Picture:
    labels = comparison.labels
    figure, all_axes = grid(len(names), min(ACROSS, len(names)), 0.2, 0.62 + 0.17 * len(labels), sharey=True)
    words = []
    for axes, name in zip(all_axes, names, strict=False):
        estimates = {label: comparison.estimate(label, name) for label in labels}
        for row, (label, estimate) in enumerate(estimates.items()):
            colour = page.colour(label)
            (run_low, run_high), (clip_low, clip_high) = estimate.intervals
            axes.plot([run_low, run_high], [row - 0.14] * 2, color=colour, linewidth=2)
            axes.plot([clip_low, clip_high], [row + 0.14] * 2, ":", color=colour, linewidth=1.6)
            axes.plot(estimate.mean, row, "o", color=colour, markersize=5)
        axes.set_title(textwrap.fill(name, 30), fontsize=8.5)
        axes.set_yticks(range(len(labels)), [page.title(label) for label in labels], fontsize=8)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
        axes.ticklabel_format(axis="x", scilimits=(-2, 3))
        axes.xaxis.offsetText.set_fontsize(7)
        axes.tick_params(axis="x", labelsize=8)
        _keep_in_view(axes, [estimate.mean for estimate in estimates.values()])
        axes.grid(axis="x")
        means = ", ".join(f"{page.title(label)} {significant(e.mean)}" for label, e in estimates.items())
        words.append(f"{name}: {means}")
    return picture(
        figure,
        page.figures,
        f"{comparison.measure.name}-figures",
        f"{comparison.measure.title}: models compared",
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


@styled
def draw_matrices(maps: Mapping[str, Matrix], file_name: str, title: str, page: PageContext) -> Picture:
    """maps: by the heading of each. title: of the figure."""
    names = [name for matrix in maps.values() for name in (*matrix.rows, *matrix.columns)]
    numbered = all(name.isdecimal() for name in names)
    across = 3 if numbered else 2
    figure, all_axes = grid(len(maps), across, 0.55, 0.3 + WIDTH / across * (0.85 if numbered else 1))
    values = np.concatenate([matrix.value_RC.ravel() for matrix in maps.values()])
    high = float(np.nanmax(np.abs(values), initial=0)) or 1.0
    low = 0.0 if np.nanmin(values, initial=0) >= 0 else -high
    for number, (axes, (heading, matrix)) in enumerate(zip(all_axes, maps.items(), strict=False)):
        colours = "viridis" if low >= 0 else "RdBu_r"
        image = axes.imshow(matrix.value_RC, cmap=colours, vmin=low, vmax=high, aspect="auto", interpolation="none")
        image.set_gid(f"map{number}")  # else the same map twice has one id twice
        axes.set_title(heading, fontsize=8.5)
        _name_ticks(axes.yaxis, matrix.rows, 0)
        _name_ticks(axes.xaxis, matrix.columns, 90)
    bar = figure.colorbar(image, ax=all_axes, location="bottom", shrink=0.7, aspect=40, pad=0.02)
    bar.ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
    return picture(
        figure,
        page.figures,
        file_name,
        title,
        "; ".join(f"{heading}: {_matrix_in_words(matrix)}" for heading, matrix in maps.items()),
        "Mean over clips and trained models; one scale of colours for all.",
    )


def _name_ticks(axis, names: tuple[str, ...], turn: int) -> None:
    step = math.ceil(len(names) / MOST_NAMES) if all(name.isdecimal() for name in names) else 1
    rotation = turn if any(len(name) > 2 for name in names) else 0
    axis.set_ticks(range(0, len(names), step), names[::step], rotation=rotation, fontsize=7 if len(names) < 12 else 5.5)


def _matrix_in_words(matrix: Matrix) -> str:
    if np.isnan(matrix.value_RC).all():
        return "no values"
    row, column = np.unravel_index(np.nanargmax(matrix.value_RC), matrix.value_RC.shape)
    mean, highest = significant(float(np.nanmean(matrix.value_RC))), significant(matrix.value_RC[row, column])
    return f"mean {mean}, highest {highest} at {matrix.rows[row]}, {matrix.columns[column]}"


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
def draw_parts(methods: Sequence[Comparison], kind: Kind, page: PageContext) -> Picture:
    """A panel for each method; in it the parts, and a bar for each model that the method is for."""
    figure, all_axes = grid(len(methods), min(2, len(methods)), 0.5, 1.45, sharex=True)
    families, words = [style.family for style in page.styles.values()], []
    hatches = {
        label: HATCHES[families[:place].count(style.family) % len(HATCHES)]
        for place, (label, style) in enumerate(page.styles.items())
    }
    for axes, comparison in zip(all_axes, methods, strict=False):
        words += [f"{method_of(comparison)}, {text}" for text in _bars(axes, comparison, kind, page, hatches)]
        if kind.neutral is not None:
            axes.axhline(kind.neutral, color=INK, linewidth=0.7, alpha=0.7)
        axes.set_title(textwrap.fill(method_of(comparison), 30), fontsize=8.5)
        axes.set_xticks(range(len(PARTS)), PARTS, fontsize=8)
        axes.grid(axis="y")
    for label, style in page.styles.items():
        if any(label in comparison.labels for comparison in methods):
            all_axes[0].bar([0], [0], color=style.colour, hatch=hatches[label], label=style.title, **BAR)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    figure.supylabel(kind.label, fontsize=9)
    return picture(
        figure,
        page.figures,
        f"parts-{kind.name}",
        kind.title,
        "; ".join(words),
        f"{kind.caption} Lines: 95 % interval over trained models, over clips where there is one training, cut at "
        "the frame. Only models in one panel are compared by one method.",
    )


def _bars(axes, comparison: Comparison, kind: Kind, page: PageContext, hatches: dict[str, str]) -> list[str]:
    """Draw the bars of one method; returns what they say, a model each."""
    width, highest, words = 0.8 / len(comparison.labels), kind.neutral or 0.0, []
    for place, label in enumerate(comparison.labels):
        estimates = [comparison.estimate(label, f"{kind.name} {part}") for part in PARTS]
        x, means = np.arange(len(PARTS)) - 0.4 + width * (place + 0.5), [e.mean for e in estimates]
        axes.bar(x, means, 0.9 * width, color=page.colour(label), hatch=hatches[label], **BAR)
        for position, estimate in zip(x, estimates, strict=True):
            over_runs, over_clips = estimate.intervals
            low, high = over_runs if np.isfinite(over_runs[0]) else over_clips
            axes.plot([position] * 2, [max(0, low), high], color=INK, linewidth=0.9)
        highest = max([highest, *(mean for mean in means if np.isfinite(mean))])
        values = ", ".join(f"{part} {significant(mean)}" for part, mean in zip(PARTS, means, strict=True))
        words.append(f"{page.title(label)}: {values}")
    axes.set_ylim(0, 1.5 * highest or 1)  # an interval of two trainings can be a hundred times as high
    return words


def method_of(comparison: Comparison) -> str:
    """The method, which the titles of these measures end in."""
    return comparison.measure.title.rpartition(", ")[2]
