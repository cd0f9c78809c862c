"""One row a model out of an experiment's results; the same rows for terminal, CSV and Markdown."""

from __future__ import annotations

from typing import Any

import pandas as pd

from hybrid import get_entry, list_models


def benchmark_table(results: list[dict[str, Any]]) -> pd.DataFrame:
    """A row a model, best first: MSE x 10^-2 over its runs, its cost, and the paper's figure.

    `mse_sd` is over runs (folds and repeats) with n - 1; a model with one run has none. The paper's figures are of
    another, private data set.
    """
    order = list_models()
    rows = []
    for name, runs in pd.DataFrame(results).groupby("model"):
        entry = get_entry(name)
        mse = 100 * pd.Series([metrics["mse"] for metrics in runs["metrics"]])
        paper_mean, paper_sd = entry.paper_mse or (None, None)
        rows.append(
            {
                "model": name,
                "family": entry.family,
                "runs": len(runs),
                "mse_mean": mse.mean(),
                "mse_sd": mse.std(ddof=1) if len(runs) > 1 else None,
                "parameters_M": runs["parameters"].iloc[0] / 1e6,
                "gmac": runs["gmac"].iloc[0],
                "train_ms_per_clip": 1e3 * runs["train_seconds_per_clip"].median(),
                "inference_ms_per_clip": 1e3 * runs["inference_seconds_per_clip"].median(),
                "paper_mse_mean": paper_mean,
                "paper_mse_sd": paper_sd,
            }
        )
    rows.sort(key=lambda row: (row["mse_mean"], order.index(row["model"])))
    return pd.DataFrame(rows)


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The table as people read it: figures as text, few digits, headings with units."""
    return pd.DataFrame(
        {
            "model": table["model"],
            "family": table["family"],
            "runs": table["runs"].astype(str),
            "MSE x10^-2 (sd)": [
                _mean_sd(mean, sd) for mean, sd in zip(table["mse_mean"], table["mse_sd"], strict=True)
            ],
            "params M": table["parameters_M"].map("{:.2f}".format),
            "GMAC": table["gmac"].map("{:.3g}".format),
            "train ms/clip": table["train_ms_per_clip"].map("{:.1f}".format),
            "infer ms/clip": table["inference_ms_per_clip"].map("{:.1f}".format),
            "paper*": [
                _mean_sd(mean, sd) for mean, sd in zip(table["paper_mse_mean"], table["paper_mse_sd"], strict=True)
            ],
        }
    )


def as_terminal(table: pd.DataFrame) -> str:
    columns = readable(table)
    widths = [max(len(name), *columns[name].str.len()) for name in columns]
    lines = [_aligned(columns.columns, widths), _aligned(["-" * width for width in widths], widths)]
    lines += [_aligned(row, widths) for row in columns.itertuples(index=False)]
    return "\n".join(line.rstrip() for line in lines)


def as_markdown(table: pd.DataFrame) -> str:
    columns = readable(table)
    lines = [list(columns.columns), [":--", ":--", *["--:"] * (len(columns.columns) - 2)], *columns.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _mean_sd(mean: float | None, sd: float | None) -> str:
    if mean is None or pd.isna(mean):
        return "-"
    return f"{mean:.2f}" if sd is None or pd.isna(sd) else f"{mean:.2f} ({sd:.2f})"


def _aligned(cells, widths: list[int]) -> str:
    # Names to the left, figures to the right.
    return "  ".join(
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
