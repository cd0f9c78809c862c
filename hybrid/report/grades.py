"""Calibration, and the error grade by grade."""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hybrid.display.figures import FAMILY_COLOURS, INK, Picture, panels, picture, styled
from hybrid.display.tables import Column, Table, number
from hybrid.report.data import ReportData

BINS = 10


def reliability(predicted: NDArray, voted: NDArray, bins: int = BINS) -> tuple[NDArray, NDArray, NDArray]:
    """Mean prediction, mean share of votes and size of bins of about equal size, by predicted probability.

    predicted, voted: probabilities of any shape, the same for both. Fewer bins where there are fewer values.
    """
    predicted, voted = np.ravel(predicted), np.ravel(voted)
    parts = np.array_split(np.argsort(predicted, kind="stable"), min(bins, len(predicted)))
    means = [[values[part].mean() for part in parts] for values in (predicted, voted)]
    return np.array(means[0]), np.array(means[1]), np.array([len(part) for part in parts])


def calibration_error(predicted: NDArray, voted: NDArray) -> float:
    """Mean distance between predicted and voted probability over the bins of `reliability`, by size."""
    mean_predicted, mean_voted, size = reliability(predicted, voted)
    return float(np.average(np.abs(mean_predicted - mean_voted), weights=size))


def grades_table(data: ReportData) -> Table:
    """MSE x 10^-2 and bias of each grade, over all held-out clips and repeats."""
    results, rows = data.results, []
    for row in data.frame.itertuples():
        tested = results.predictions[results.predictions["arm"] == row.arm]
        difference_NK = results.answers(tested) - results.targets(tested)
        figures = {"calibration": calibration_error(results.answers(tested), results.targets(tested))}
        for k, grade in enumerate(results.grades):
            figures[f"mse_{grade}"] = 100 * (difference_NK[:, k] ** 2).mean()
        for k, grade in enumerate(results.grades):
            figures[f"bias_{grade}"] = 100 * difference_NK[:, k].mean()
        rows.append({"arm": row.arm, "title": row.title, **figures})
    frame = pd.DataFrame(rows)
    # Grades may have names that are no attribute of a row: rows are read by place.
    place = {name: index for index, name in enumerate(frame.columns)}

    def column(heading: str, key: str, digits: int, about: str = "", sign: bool = False) -> Column:
        return Column(heading, lambda row: number(row[place[key]], digits, sign=sign), key, about=about)

    return Table(
        "grades",
        "Calibration error; MSE x10^-2 and bias of each grade (predicted minus voted share, percentage points).",
        frame,
        (
            Column("model", lambda row: row[place["title"]], "title", figure=False),
            column("calibration error", "calibration", 3, "mean distance of predicted from voted share, in ten bins"),
            *(column(f"MSE {grade}", f"mse_{grade}", 2) for grade in results.grades),
            *(column(f"bias {grade}", f"bias_{grade}", 1, sign=True) for grade in results.grades),
        ),
    )


@styled
def draw_calibration(data: ReportData) -> Picture:
    results = data.results
    figure, all_axes = panels(len(data.frame), 1.05, "predicted probability", "share of the votes")
    largest = 0.0
    for axes, row in zip(all_axes, data.frame.itertuples(), strict=True):
        tested = results.predictions[results.predictions["arm"] == row.arm]
        predicted, voted, _ = reliability(results.answers(tested), results.targets(tested))
        largest = max(largest, predicted.max(), voted.max())
        axes.axline((0, 0), slope=1, color=INK, linewidth=0.7, alpha=0.6)
        axes.plot(predicted, voted, "o-", color=FAMILY_COLOURS[row.family], markersize=3, linewidth=1.2)
        axes.set_title(row.title, fontsize=9)
        axes.grid()
    all_axes[0].set_xlim(0, 1.08 * largest)
    all_axes[0].set_ylim(0, 1.08 * largest)
    for axis in (all_axes[0].xaxis, all_axes[0].yaxis):
        axis.set_major_locator(MaxNLocator(nbins=3, prune="upper"))
    return picture(
        figure,
        results.folder.report,
        "calibration",
        "Calibration",
        f"Share of votes against predicted probability for {len(data.frame)} models, one panel each, with the diagonal "
        "on which both agree. The calibration errors are in the table of grades.",
        f"All grades of all held-out clips in {BINS} bins of equal size by predicted probability. On the diagonal a "
        "model says what the panel votes; a short line that stays near the middle is a model that hardly tells "
        "clips apart.",
    )
