"""The result as a picture: every fold of every model a dot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

from hybrid.files import whole_file

FAMILY_COLOURS = {"image": "#8c8c8c", "convolution": "#2f7fb8", "transformer": "#d9822b", "hybrid": "#b3224c"}


def draw_benchmark(
    table: pd.DataFrame, results: list[dict[str, Any]], references: dict[str, float], path: Path
) -> None:
    """Dots of MSE x 10^-2, a row a model, best on top; the bar is the mean; lines for the references."""
    figure, axes = plt.subplots(figsize=(7.5, 1.3 + 0.36 * len(table)), layout="constrained")
    for position, row in enumerate(table.itertuples()):
        colour = FAMILY_COLOURS[row.family]
        mse = [100 * result["metrics"]["mse"] for result in results if result["model"] == row.model]
        axes.plot(mse, [position] * len(mse), "o", color=colour, alpha=0.55, markersize=6, markeredgewidth=0)
        axes.plot([row.mse_mean] * 2, [position - 0.28, position + 0.28], color=colour, linewidth=2.5)
    for style, (name, value) in zip(("--", ":"), references.items(), strict=False):
        axes.axvline(value, color="black", linestyle=style, linewidth=1, label=f"{name} {value:.2f}")
    axes.set_yticks(range(len(table)), table["model"])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.05 * max(100 * max(result["metrics"]["mse"] for result in results), *references.values()))
    axes.set_xlabel(r"MSE $\times 10^{-2}$ on held-out clips (a dot a fold, bar: mean)")
    for family in dict.fromkeys(table["family"]):
        axes.plot([], [], "o", color=FAMILY_COLOURS[family], label=family)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25)
    for kind in ("png", "svg"):
        with whole_file(path.with_suffix(f".{kind}")) as temporary:
            figure.savefig(temporary, format=kind, dpi=150)
    plt.close(figure)
