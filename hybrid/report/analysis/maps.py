"""Matrices beside each other, in one scale of colours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from hybrid.analysis.measure import Matrix
from hybrid.display.figures import WIDTH, Picture, new_figure, picture, styled
from hybrid.display.tables import significant

MOST_NAMES = 8
"""numbers that are written beside a map"""


@styled
def draw_maps(maps: Mapping[str, Matrix], name: str, title: str, folder: Path) -> Picture:
    """maps: by what is written above each. name: of the files. title: of the figure."""
    numbered = all(_numbered(matrix) for matrix in maps.values())
    across = 3 if numbered else 2
    down = math.ceil(len(maps) / across)
    figure = new_figure(0.55 + down * (0.3 + WIDTH / across * (0.85 if numbered else 1)))
    all_axes = figure.subplots(down, across, squeeze=False).ravel()
    low, high = _range(maps)
    for number, (axes, (heading, matrix)) in enumerate(zip(all_axes, maps.items(), strict=False)):
        colours = "viridis" if low >= 0 else "RdBu_r"
        image = axes.imshow(matrix.value_RC, cmap=colours, vmin=low, vmax=high, aspect="auto", interpolation="none")
        image.set_gid(f"map{number}")  # else the same map twice has one id twice
        axes.set_title(heading, fontsize=8.5)
        _name_ticks(axes.yaxis, matrix.rows, 0)
        _name_ticks(axes.xaxis, matrix.columns, 90)
    for axes in all_axes[len(maps) :]:
        axes.set_axis_off()
    bar = figure.colorbar(image, ax=all_axes.tolist(), location="bottom", shrink=0.7, aspect=40, pad=0.02)
    bar.ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
    return picture(
        figure,
        folder,
        name,
        title,
        "; ".join(f"{heading}: {_in_words(matrix)}" for heading, matrix in maps.items()),
        "Mean over clips and trained models; one scale of colours for all.",
    )


def _range(maps: Mapping[str, Matrix]) -> tuple[float, float]:
    values = np.concatenate([matrix.value_RC.ravel() for matrix in maps.values()])
    high = float(np.nanmax(np.abs(values), initial=0)) or 1.0
    return (0.0 if np.nanmin(values, initial=0) >= 0 else -high), high


def _numbered(matrix: Matrix) -> bool:
    return all(name.isdecimal() for name in (*matrix.rows, *matrix.columns))


def _name_ticks(axis, names: tuple[str, ...], turn: int) -> None:
    step = math.ceil(len(names) / MOST_NAMES) if all(name.isdecimal() for name in names) else 1
    rotation = turn if any(len(name) > 2 for name in names) else 0
    axis.set_ticks(range(0, len(names), step), names[::step], rotation=rotation, fontsize=7 if len(names) < 12 else 5.5)


def _in_words(matrix: Matrix) -> str:
    if np.isnan(matrix.value_RC).all():
        return "no values"
    row, column = np.unravel_index(np.nanargmax(matrix.value_RC), matrix.value_RC.shape)
    mean, highest = significant(float(np.nanmean(matrix.value_RC))), significant(matrix.value_RC[row, column])
    return f"mean {mean}, highest {highest} at {matrix.rows[row]}, {matrix.columns[column]}"
