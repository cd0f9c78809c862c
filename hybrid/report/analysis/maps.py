"""Matrices of all models beside each other, in one scale of colours."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from hybrid.analysis.answers import Answers
from hybrid.analysis.measure import Matrix
from hybrid.report.analysis.look import Look, slug
from hybrid.report.drawing import Picture, new_figure, picture, styled
from hybrid.report.table import significant

MOST_NAMES = 8
"""of rows or columns that are written beside a map"""


@styled
def draw_maps(answers: Answers, name: str, looks: dict[str, Look], folder: Path) -> Picture:
    found = {label: answers.matrix(label, name) for label in answers.labels}
    found = {label: matrix for label, matrix in found.items() if matrix is not None}
    across = min(3 if all(_numbered(matrix) for matrix in found.values()) else 2, len(found))
    down = math.ceil(len(found) / across)
    figure = new_figure(0.5 + down * (4.4 / across))
    all_axes = figure.subplots(down, across, squeeze=False).ravel()
    low, high = _range(found)
    colours = "viridis" if low >= 0 else "RdBu_r"
    for number, (axes, (label, matrix)) in enumerate(zip(all_axes, found.items(), strict=False)):
        image = axes.imshow(
            matrix.value_RC, cmap=colours, vmin=low, vmax=high, aspect="auto", interpolation="none", origin="upper"
        )
        image.set_gid(f"map{number}")  # else the same map twice has one id twice
        axes.set_title(looks[label].title, fontsize=9)
        _name_ticks(axes.yaxis, matrix.rows, 0)
        _name_ticks(axes.xaxis, matrix.columns, 90)
    for axes in all_axes[len(found) :]:
        axes.set_axis_off()
    figure.colorbar(image, ax=all_axes.tolist(), location="bottom", shrink=0.7, aspect=40, pad=0.02)
    return picture(
        figure,
        folder,
        f"{answers.measure.name}-map-{slug(name)}",
        f"{answers.measure.title}: {name}",
        "; ".join(f"{looks[label].title}: {_in_words(matrix)}" for label, matrix in found.items()),
        "Mean over clips and trained models; one scale of colours for all models.",
    )


def _range(found: dict[str, Matrix]) -> tuple[float, float]:
    values = np.concatenate([matrix.value_RC.ravel() for matrix in found.values()])
    high = float(np.nanmax(np.abs(values), initial=0)) or 1.0
    return (0.0 if np.nanmin(values, initial=0) >= 0 else -high), high


def _numbered(matrix: Matrix) -> bool:
    return all(name.isdecimal() for name in (*matrix.rows, *matrix.columns))


def _name_ticks(axis, names: tuple[str, ...], rotation: int) -> None:
    step = math.ceil(len(names) / MOST_NAMES) if all(name.isdecimal() for name in names) else 1
    turned = rotation if any(len(name) > 2 for name in names) else 0
    axis.set_ticks(range(0, len(names), step), names[::step], rotation=turned, fontsize=7 if len(names) < 12 else 6)


def _in_words(matrix: Matrix) -> str:
    if np.isnan(matrix.value_RC).all():
        return "no values"
    row, column = np.unravel_index(np.nanargmax(matrix.value_RC), matrix.value_RC.shape)
    return f"highest {significant(matrix.value_RC[row, column])} at {matrix.rows[row]}, {matrix.columns[column]}"
