"""The page of a graded field video: every graded cell to play, the best first, and the table of all tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hybrid.data.casa import FIGURES
from hybrid.display.films import film_layout, film_sheet
from hybrid.display.pages import rendered
from hybrid.display.tables import Column, Table, number
from hybrid.field.cells import Cells
from hybrid.files import write_text
from hybrid.grading.drawing import grade_colours
from hybrid.grading.grades import NO_DECISION
from hybrid.training.ensemble import Ensemble

AT_FIRST = 24
"""cells that are shown before one asks for more"""
SIDE = 150
"""px of a film at most"""


def write_film(folder: Path, track: int, frames_THWC: np.ndarray, ensemble: Ensemble) -> None:
    """Beside the page and not in it, so that neither grows with the length of the video."""
    film_sheet(frames_THWC, film_layout(ensemble.spec), SIDE).save(folder / film_name(track), quality=85)


def film_name(track: int) -> str:
    return f"films/{track:04d}.jpg"


def write_page(
    folder: Path, cells: Cells, table: pd.DataFrame, ensemble: Ensemble, notes: list[str], origin: list[tuple[str, str]]
) -> None:
    graded = table[table["windows"] > 0]
    contents = {
        "title": cells.video.path.name,
        "facts": [
            f"{len(graded)} of {len(table)} tracks graded",
            f"{graded['windows'].sum()} windows of {cells.camera.clip.seconds:g} s",
            f"{len(ensemble.models)} model" + ("s" if len(ensemble.models) > 1 else ""),
        ],
        "no_decision": NO_DECISION,
        "notes": notes,
        "cells": [_card(row, ensemble.grades) for row in graded.to_dict("records")],
        "at_first": AT_FIRST,
        "models": len(ensemble.models),
        "films": film_layout(ensemble.spec),
        "grades": list(zip(ensemble.grades, grade_colours(ensemble.grades), strict=True)),
        "table": _table(table, ensemble.grades),
        "origin": origin,
    }
    write_text(folder / "index.html", rendered("hybrid.grading", "grading.html.j2", contents))


def _card(row: dict[str, Any], grades: tuple[str, ...]) -> dict[str, Any]:
    return row | {"film": film_name(row["track"]), "percent": [100 * row[grade] for grade in grades]}


def _table(table: pd.DataFrame, grades: tuple[str, ...]) -> Table:
    unit = table["unit"].iloc[0]
    units = {"vcl": f" {unit}/s", "vsl": f" {unit}/s", "vap": f" {unit}/s", "alh": f" {unit}", "bcf": " Hz"}

    def figure(name: str, heading: str, digits: int, about: str = "") -> Column:
        place = table.columns.get_loc(name)
        return Column(heading, lambda row: number(row[place], digits), name, about=about)

    def word(name: str, heading: str) -> Column:
        place = table.columns.get_loc(name)
        return Column(heading, lambda row: str(row[place] or "-"), figure=False)

    columns = (
        figure("track", "Track", 0),
        figure("expected_grade", "Expected", 2, f"grade by its distribution, from 1 for {grades[0]}"),
        figure("windows_sd", "SD windows", 2, "of the expected grade, from window to window of the cell"),
        figure("folds_sd", "SD models", 2, "of the expected grade, from model to model"),
        word("top_grade", "Most likely"),
        figure("windows", "Windows", 0, "of the track, one after another, that were graded"),
        figure("first_s", "From s", 1),
        figure("last_s", "To s", 1),
        *(figure(name, name.upper() + units.get(name, ""), 2 if name not in units else 1) for name in FIGURES),
        word("left_out", "Not graded"),
    )
    return Table("grades", f"All tracks, the best first ({NO_DECISION}).", table, columns, "expected_grade")
