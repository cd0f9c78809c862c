"""The sections of figures: folds and learning curves, and cost beside calibration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from hybrid import get_entry
from hybrid.display.figures import (
    FAMILY_COLOURS,
    INK,
    Picture,
    new_figure,
    panels,
    picture,
    place_labels,
    styled,
    title_of,
)
from hybrid.display.pages import Section
from hybrid.display.tables import Table
from hybrid.files import Damaged
from hybrid.folders import ExperimentFolder
from hybrid.report.data import ReportData
from hybrid.report.grades import draw_calibration, grades_table
from hybrid.report.provenance import runs_table


def folds(data: ReportData) -> Section:
    folder = data.results.folder
    varied = {arm.label for ablation in data.ablations for arm in ablation.arms}
    begun = sorted({run.arm for run in folder.unfinished_runs()} - varied - set(data.all_arms["arm"]))
    curves = read_curves(folder, [*data.frame["arm"], *begun])
    return _pair(
        (("folds", "Folds and repeats", "Folds"), ("curves", "Learning", "Learning")),
        (draw_folds(data), draw_curves(curves, folder.report)),
        runs_table(data.everything),
        folded="Every run",
    )


def cost(data: ReportData) -> Section:
    return _pair(
        (("cost", "Cost", "Cost"), ("grades", "Calibration and grades", "Grades")),
        (draw_cost(data), draw_calibration(data)),
        grades_table(data),
    )


def _pair(
    halves: tuple[tuple[str, str, str], tuple[str, str, str]],
    pictures: tuple[Picture, Picture],
    table: Table,
    folded: str = "",
) -> Section:
    """Two figures side by side, each with an id, a title and a short one, and a table below; folded: its summary."""
    return Section(
        halves[0][0],
        halves[0][1],
        (table,),
        pictures,
        layout="pair",
        text={
            "halves": [(*half[:2], picture) for half, picture in zip(halves, pictures, strict=True)],
            "folded": folded,
        },
        links=tuple((name, short) for name, _, short in halves),
    )


@styled
def draw_folds(data: ReportData) -> Picture:
    """Dots of MSE x 10^-2, a row a model, best on top; the bar is the mean, the line its interval."""
    results, references = data.frame, data.references
    figure = new_figure(1.1 + 0.32 * len(results))
    axes = figure.add_subplot()
    largest = max(references.values())
    for position, row in enumerate(results.itertuples()):
        colour = FAMILY_COLOURS[row.family]
        mse = [100 * run.mse for run in data.results.runs if run.arm == row.arm]
        largest = max(largest, *mse)
        axes.plot(mse, [position] * len(mse), "o", color=colour, alpha=0.6, markersize=5, markeredgewidth=0)
        if pd.notna(row.mse_low):
            axes.plot([row.mse_low, row.mse_high], [position] * 2, color=colour, linewidth=1.2)
            largest = max(largest, row.mse_high)
        axes.plot([row.mse_mean] * 2, [position - 0.26, position + 0.26], color=colour, linewidth=2.2)
    for style, (name, value) in zip(("--", ":"), references.items(), strict=False):
        axes.axvline(value, color=INK, linestyle=style, linewidth=0.9, label=f"{name} {value:.2f}")
    axes.set_yticks(range(len(results)), results["title"])
    axes.invert_yaxis()
    axes.set_xlim(0, min(1.05 * largest, 2.5 * max(results["mse_mean"].max(), *references.values())))
    axes.set_xlabel("MSE ×10⁻² on held-out clips")
    for family in dict.fromkeys(results["family"]):
        axes.plot([], [], "o", color=FAMILY_COLOURS[family], label=family, markersize=5)
    figure.legend(fontsize=8, loc="outside lower center", ncols=3)
    axes.grid(axis="x")
    best = results.iloc[0]
    return picture(
        figure,
        data.results.folder.report,
        "mse",
        "Error of every fold and repeat",
        f"Dots of MSE times ten to the minus two for {len(results)} models. Lowest mean: {best.title}, "
        f"{best.mse_mean:.2f}; highest: {results.iloc[-1].title}, {results.iloc[-1].mse_mean:.2f}. "
        + "; ".join(f"{name}: {value:.2f}" for name, value in references.items())
        + ". The figures are in the table of results.",
        "A dot is one fold of one repeat, the upright bar their mean, the level line its 95 % interval (cut at the "
        "frame). Intervals of single models overlap even where a paired difference is clear: see the contrasts.",
    )


@styled
def draw_cost(data: ReportData) -> Picture:
    """Error against GMAC and against time, both on logarithmic axes."""
    results = data.frame
    above = results["excess"].notna().all()
    error = results["excess"] if above else results["mse_mean"]
    figure = new_figure(4.9)
    for index, (key, label) in enumerate(
        (("gmac", "GMAC a clip"), ("inference_ms_per_clip", "inference, ms a clip")), start=1
    ):
        axes = figure.add_subplot(2, 1, index)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.scatter(results[key], error, c=[FAMILY_COLOURS[family] for family in results["family"]], s=28)
        axes.set_xlim(results[key].min() / 1.6, results[key].max() * 2.6)
        room = 0.1 * max(error.max() - error.min(), 0.2 * abs(error.max()), 0.1)
        axes.set_ylim(error.min() - 2 * room, error.max() + 2 * room)
        axes.set_xlabel(label)
        axes.set_ylabel("excess MSE ×10⁻²" if above else "MSE ×10⁻²")
        axes.grid()
    figure.draw_without_rendering()  # lays it out, so that places on paper are known
    for axes, key in zip(figure.axes, ("gmac", "inference_ms_per_clip"), strict=True):
        place_labels(axes, results[key], error, results["title"], INK)
    what = "MSE above the panel's noise ceiling" if above else "MSE (how many voted is unknown, so no noise ceiling)"
    return picture(
        figure,
        data.results.folder.report,
        "cost",
        "Error against cost",
        f"{what}, against multiply-accumulates and against inference time, for {len(results)} models. "
        "The figures are in the table of results.",
        f"{what}; lower left is better. Time is measured on the machine named below and in the batches of the runs; "
        "the vertical axis does not start at zero.",
    )


@dataclass(frozen=True)
class Curves:
    """The learning curves of one arm. frame: a row an epoch and run: run, epoch, train/mse, test/mse."""

    title: str
    family: str
    frame: pd.DataFrame


def read_curves(folder: ExperimentFolder, arms: Iterable[str]) -> list[Curves]:
    """Of all runs of these arms that have an epoch behind them, finished or not."""
    found, models = [], {result["arm"]: result["model"] for result in folder.results()}
    for arm in arms:
        paths = sorted((folder.path / arm).glob("repeat*-fold*/metrics.csv"))
        if paths:
            model = models.get(arm) or (folder.read_model(arm)["name"] if folder.model(arm).exists() else arm)
            frame = pd.concat([_read_curve(path).assign(run=path.parent.name) for path in paths])
            found.append(Curves(title_of(arm, model), get_entry(model).family, frame))
    return found


def _read_curve(path: Path) -> pd.DataFrame:
    try:
        curve = pd.read_csv(path, dtype=float)
    except ValueError as error:
        raise Damaged(f"{path}: was damaged, it is no table of numbers any more ({error})") from error
    if "epoch" not in curve:
        raise Damaged(f"{path}: was damaged, it has no column epoch")
    return curve


@styled
def draw_curves(arms: Sequence[Curves], folder: Path) -> Picture:
    """A panel a model: training and held-out MSE by epoch, thin a run, thick their mean."""
    figure, all_axes = panels(len(arms), 0.9, "epoch", "MSE ×10⁻²")
    ends = []
    for axes, arm in zip(all_axes, arms, strict=True):
        curves = arm.frame
        for key, style in (("train/mse", ":"), ("test/mse", "-")):
            if key not in curves:
                continue
            colour = FAMILY_COLOURS[arm.family]
            for _, run in curves.groupby("run"):
                axes.plot(run["epoch"] + 1, 100 * run[key], style, color=colour, alpha=0.25, linewidth=0.7)
            mean = 100 * curves.groupby("epoch")[key].mean()
            axes.plot(mean.index + 1, mean, style, color=colour, linewidth=1.8)
            ends.append(100 * curves[key])
        axes.set_title(arm.title, fontsize=9)
        axes.grid()
    all_axes[0].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    all_axes[0].yaxis.set_major_locator(MaxNLocator(nbins=3))
    values = pd.concat(ends)
    # The first epochs of one model would flatten all the others.
    all_axes[0].set_ylim(0.95 * values.min(), 1.03 * min(values.max(), 1.5 * values.quantile(0.9)))
    return picture(
        figure,
        folder,
        "curves",
        "Learning curves",
        f"MSE by epoch for {len(arms)} models, one panel each: training dotted, held-out clips solid.",
        "Dotted: training clips as they were seen in the epoch; solid: held-out clips after it. Thin lines are runs, "
        "thick ones their mean; what is far above the others is cut at the frame. The last epoch counts; no epoch is "
        "chosen by its held-out error.",
    )
