"""The panel beside the models: how well one half of it says what the other half says."""

import numpy as np
import pandas as pd

from hybrid.display.tables import Column, Table, number
from hybrid.evaluation.metrics import METRICS
from hybrid.evaluation.panel import PanelAgreement, agreement_of_raters, agreement_of_votes
from hybrid.evaluation.results import ExperimentResults


def panel_of(results: ExperimentResults) -> PanelAgreement | None:
    """By halves of the raters where the data set has ratings.csv, else of the votes; None where none are counted."""
    tested = results.predictions.drop_duplicates("clip")
    if results.dataset is not None and results.dataset.ratings is not None:
        place = {clip: n for n, clip in enumerate(results.dataset.clips)}
        ratings_NR = results.dataset.ratings.ratings_NR[[place[clip] for clip in tested["clip"]]]
        return agreement_of_raters(ratings_NR, len(results.grades))
    if tested["raters"].isna().all():
        return None
    counted = tested[tested["raters"].notna()]
    return agreement_of_votes(np.round(results.targets(counted) * counted[["raters"]].to_numpy()))


def heading_of(measure: str) -> str:
    return "MSE x10^-2" if measure == "mse" else measure.upper()


def measured(measure: str, value: float) -> str:
    """Of a measure by its name, as tables show it."""
    return number(100 * value) if measure == "mse" else number(value, 3)


def panel_table(panel: PanelAgreement, measures: pd.DataFrame) -> Table:
    """measures: the frame of `measures_table`, best arm first."""
    best = measures.iloc[0]
    rows = [
        (name, METRICS[name].better, METRICS[name].definition, value, best[name])
        for name, value in panel.measures.items()
    ]

    return Table(
        "panel",
        f"One half of the panel against the other: mean over {panel.splits} random halves of its {panel.halves}, "
        f"{panel.clips} clips.",
        pd.DataFrame(rows, columns=["measure", "better", "definition", "halves", "best"]),
        (
            Column("measure", lambda row: heading_of(row.measure), "measure", figure=False),
            Column.words("better", "better"),
            Column("half against half", lambda row: measured(row.measure, row.halves), "halves"),
            Column(
                f"{best['title']} against all",
                lambda row: measured(row.measure, row.best),
                "best",
                about="the model of the lowest MSE, against the whole panel, which is less noisy than half of it",
            ),
        ),
    )


def panel_note(panel: PanelAgreement, measures: pd.DataFrame) -> str:
    best = measures.iloc[0]
    return (
        f"Top grade: one half of the panel's {panel.halves} agrees with the other on "
        f"{100 * panel.measures['top']:.0f} % of the clips, {best['title']} with the whole panel on "
        f"{100 * best['top']:.0f} %. By the distance of such halves a perfect model's MSE would be "
        f"{100 * panel.ceiling:.2f} x10^-2."
    )
