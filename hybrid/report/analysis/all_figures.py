"""The table of all measures and models, and every single number as one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from hybrid.analysis.answers import Answers
from hybrid.display.tables import Column, Table, significant
from hybrid.report.analysis.look import Look

OVER = {
    "run": "In brackets the 95 % interval over trained models (corrected for training clips they share).",
    "clip": "In brackets the 95 % interval over clips; other trainings of the models may differ by more.",
}


def all_figures(gathered: Sequence[Answers], looks: dict[str, Look]) -> Table:
    """A row a figure, a column a model. The frame has both intervals of each."""
    rows = [
        {"measure": answers.measure.title, "figure": name}
        | {
            f"{label} {key}": value
            for label in answers.labels
            for key, value in asdict(answers.estimate(label, name)).items()
        }
        for answers in gathered
        for name in answers.names("figures")
    ]
    frame = pd.DataFrame(rows)
    several = (frame.filter(regex=r" runs$").max() > 1).any()
    over = "run" if several else "clip"
    place = {name: index for index, name in enumerate(frame.columns)}

    def cell(row, label: str) -> str:
        if f"{label} mean" not in place:
            return "-"
        mean, low, high = (row[place[f"{label} {key}"]] for key in ("mean", f"{over}_low", f"{over}_high"))
        return significant(mean) + ("" if pd.isna(low) else f" [{significant(low)}, {significant(high)}]")

    models = [
        Column(
            look.title, lambda row, label=label: cell(row, label), f"{label} mean" if f"{label} mean" in place else None
        )
        for label, look in looks.items()
    ]
    return Table(
        "all-measures",
        f"Every figure of every measure, the mean over clips and trained models. {OVER[over]}",
        frame,
        (
            Column("figure (unit)", lambda row: row[place["figure"]], "figure", figure=False),
            Column("measure", lambda row: row[place["measure"]], "measure", figure=False),
            *models,
        ),
    )


def every_number(gathered: Sequence[Answers]) -> pd.DataFrame:
    """A row a measure, figure, model, run and clip."""
    return pd.concat(
        [
            answers.values(label, name).assign(measure=answers.measure.name, figure=name, model=label)
            for answers in gathered
            for name in answers.names("figures")
            for label in answers.labels
        ],
        ignore_index=True,
    )[["measure", "figure", "model", "run", "clip", "group", "value"]]
