"""The profiles as a picture: what each model costs, and how near our counts are to the published ones."""

from pathlib import Path

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hybrid.display.figures import FAMILY_COLOURS
from hybrid.files import whole_file

NEAR = 1
"""per cent: counts nearer than this agree"""


def draw_profiles(table: pd.DataFrame, title: str, folder: Path) -> list[Path]:
    """profile.png and profile.svg in `folder`, from the rows of `profile_models`."""
    compared = "gmac_off_percent" in table
    table = table.astype({"gmac_off_percent": float}) if compared else table  # None to NaN
    figure = Figure(figsize=(12 if compared else 6.5, 1.6 + 0.32 * len(table)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2 if compared else 1, squeeze=False)[0]
    _draw_cost(axes[0], table, title)
    if compared:
        _draw_agreement(axes[1], table)
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.grid(axis="x", alpha=0.25)
    paths = [folder / "profile.png", folder / "profile.svg"]
    for path in paths:
        with whole_file(path) as temporary:
            figure.savefig(temporary, format=path.suffix[1:], dpi=150)
    return paths


def _draw_cost(axes, table: pd.DataFrame, title: str) -> None:
    for position, row in enumerate(table.itertuples()):
        colour = FAMILY_COLOURS[row.family]
        axes.plot(row.gmac, position, "o", color=colour, markersize=7)
        axes.annotate(
            f"{row.gmac:.3g} GMAC, {row.parameters_M:.3g} M", (row.gmac, position), (7, 0),
            textcoords="offset points", va="center", fontsize=8,
        )  # fmt: skip
    _names(axes, table)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.5, high * 8)  # room for the figures
    axes.set_xlabel("GMAC of one clip (log), and parameters")
    axes.set_title(title, fontsize=10)


def _draw_agreement(axes, table: pd.DataFrame) -> None:
    """Per cent by which ours is above the published figure, at the published input."""
    axes.axvspan(-NEAR, NEAR, color="#000000", alpha=0.07, linewidth=0)
    axes.axvline(0, color="#000000", linewidth=0.8)
    for position, row in enumerate(table.itertuples()):
        if row.parameters_off_percent != row.parameters_off_percent:
            axes.text(0.1, position, "none published", va="center", fontsize=8)
            continue
        axes.plot(row.parameters_off_percent, position - 0.15, "s", color="#444444", markersize=5)
        if row.gmac_off_percent == row.gmac_off_percent:
            axes.plot(row.gmac_off_percent, position + 0.15, "o", color=FAMILY_COLOURS[row.family], markersize=6)
    axes.plot([], [], "s", color="#444444", markersize=5, label="parameters")
    axes.plot([], [], "o", color="#999999", markersize=6, label="GMAC")
    _names(axes, table)
    axes.legend(frameon=False, fontsize=8)
    axes.set_xlabel("our count over the published one, per cent (grey: within 1 %)")
    axes.set_title("against published figures, at their input", fontsize=10)


def _names(axes, table: pd.DataFrame) -> None:
    axes.set_yticks(range(len(table)), table["model"])
    axes.set_ylim(len(table) - 0.4, -0.6)
