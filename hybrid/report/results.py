"""One row an arm: its errors, what they cost, and the paper's figure."""

from __future__ import annotations

from typing import Any

import pandas as pd

from hybrid import get_entry
from hybrid.display.figures import title_of
from hybrid.display.tables import Column, Table, interval, number, significant, spread
from hybrid.evaluation.metrics import METRICS
from hybrid.evaluation.pairs import tested_to_trained
from hybrid.evaluation.statistics import corrected_resampled_t
from hybrid.report.evidence import Evidence


def results_table(evidence: Evidence) -> Table:
    return Table(
        "table",
        "Error on held-out clips (mean over runs, sd over runs), cost, and the paper's figure.",
        results_frame(evidence),
        (
            Column("model", lambda row: row.title, "title", figure=False),
            Column(
                "MSE x10^-2 (sd)",
                lambda row: spread(row.mse_mean, row.mse_sd),
                "mse_mean",
                about="squared error of the probabilities, mean over grades and clips; sd over runs",
            ),
            Column(
                "95 % interval",
                lambda row: interval(row.mse_low, row.mse_high),
                "mse_low",
                about="of the mean MSE x10^-2, corrected for training sets that overlap",
            ),
            Column(
                "excess x10^-2",
                lambda row: number(row.excess),
                "excess",
                about="MSE above what a perfect model would have, as the panel itself is noisy; a clip counts once",
            ),
            Column(
                "paper*",
                lambda row: spread(row.paper_mse_mean, row.paper_mse_sd),
                "paper_mse_mean",
                about="MSE x10^-2 that the paper reports on its own clips: another data set",
            ),
            Column("params M", lambda row: number(row.parameters_M), "parameters_M"),
            Column(
                "GMAC", lambda row: significant(row.gmac), "gmac", about="billions of multiply-accumulates for one clip"
            ),
            Column("train ms/clip", lambda row: number(row.train_ms_per_clip, 1), "train_ms_per_clip"),
            Column("infer ms/clip", lambda row: number(row.inference_ms_per_clip, 1), "inference_ms_per_clip"),
            Column("family", lambda row: row.family, "family", figure=False),
            Column("runs", lambda row: str(row.runs), "runs", about="folds x repeats that are done"),
        ),
        sorted_by="mse_mean",
    )


def results_frame(evidence: Evidence) -> pd.DataFrame:
    """A row an arm, best first: MSE x 10^-2 over its runs, its cost, and the paper's figure.

    `mse_sd` is over runs (folds and repeats) with n - 1, and the interval that of the corrected resampled t; one with a
    single run has neither. The paper's figures are of another, private data set.
    """
    rows = [_row(arm, runs, evidence) for arm, runs in _by_arm(evidence.results)]
    rows.sort(key=lambda row: (row["mse_mean"], row["arm"]))
    return pd.DataFrame(rows)


def _row(arm: str, runs: pd.DataFrame, evidence: Evidence) -> dict[str, Any]:
    model = runs["model"].iloc[0]
    entry = get_entry(model)
    mse = 100 * pd.Series([metrics["mse"] for metrics in runs["metrics"]])
    paper_mean, paper_sd = entry.paper_mse or (None, None)
    several = len(runs) > 1
    ratio = tested_to_trained(runs["test_clips"], len(evidence.groups))
    test = corrected_resampled_t(mse, ratio) if several else None
    noise = evidence.noise.loc[arm]
    return {
        "arm": arm,
        "model": model,
        "title": title_of(arm, model),
        "family": entry.family,
        "runs": len(runs),
        "mse_mean": mse.mean(),
        "mse_sd": mse.std(ddof=1) if several else None,
        "mse_low": test.low if test else None,
        "mse_high": test.high if test else None,
        "excess": noise["excess"],
        "excess_low": noise["excess_low"],
        "excess_high": noise["excess_high"],
        "parameters_M": runs["parameters"].iloc[0] / 1e6,
        "gmac": runs["gmac"].iloc[0],
        "train_ms_per_clip": 1e3 * runs["train_seconds_per_clip"].median(),
        "inference_ms_per_clip": 1e3 * runs["inference_seconds_per_clip"].median(),
        "paper_mse_mean": paper_mean,
        "paper_mse_sd": paper_sd,
    }


def measures_table(evidence: Evidence) -> Table:
    """Every measure, mean over runs, in the order of the results."""
    rows = []
    for arm, runs in _by_arm(evidence.results):
        means, title = pd.DataFrame(list(runs["metrics"])).mean(), title_of(arm, runs["model"].iloc[0])
        rows.append({"arm": arm, "title": title, **{measure: means[measure] for measure in METRICS}})
    frame = pd.DataFrame(rows).sort_values("mse", kind="stable", ignore_index=True)

    def column(measure) -> Column:
        factor = 100 if measure.name == "mse" else 1
        heading = "MSE x10^-2" if measure.name == "mse" else measure.name.upper()
        return Column(
            f"{heading} ({measure.better} is better)",
            lambda row: number(factor * getattr(row, measure.name), 2 if factor == 100 else 3),
            measure.name,
            about=measure.definition,
        )

    title = Column("model", lambda row: row.title, "title", figure=False)
    return Table("measures", "All measures, mean over runs.", frame, (title, *map(column, METRICS.values())), "mse")


def _by_arm(results: list[dict[str, Any]]):
    return pd.DataFrame(results).groupby("arm")
