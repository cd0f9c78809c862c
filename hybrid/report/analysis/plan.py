"""What an analysis is going to do, and what it will take: printed before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from hybrid.analysis.asking import Task
from hybrid.analysis.cost import Cost
from hybrid.analysis.study import Study
from hybrid.display.tables import Column, Table, as_terminal, significant


def plan(study: Study, costs: Mapping[str, Cost], tasks: Sequence[Task], pending: Sequence[Task]) -> str:
    """A table of passes through each model, the clips, and the estimated time."""
    rows = [
        _row("forward pass, ms a clip", {label: 1e3 * cost.forward_seconds for label, cost in costs.items()}),
        _row("trained models", {label: len(study.of(label)) for label in study.labels}),
        *(_passes(name, name, costs) for name in study.measures),
        *(_passes(f"gallery: {name}", name, costs) for name in study.attributions),
        _row("estimated minutes left", {label: _seconds(pending, label) / 60 for label in study.labels}),
    ]
    rendered = [name for name in study.measures if any(cost.once.get(name) for cost in costs.values())]
    columns = [Column("passes a clip", lambda row: row.what, figure=False)]
    for place, label in enumerate(study.labels, start=1):
        columns.append(Column(label, lambda row, place=place: row[place]))
    clips = {name for asked in study.asked for name in asked.names}
    each = sorted({len(asked.numbers) for asked in study.asked})
    shown = len({name for asked in study.gallery for name in asked.names})
    total = sum(task.seconds for task in pending)
    each_is = f"{' or '.join(map(str, each))} for each trained model"
    frame = pd.DataFrame(rows, columns=["what", *study.labels])
    return "\n".join(
        [
            as_terminal(Table("plan", "", frame, tuple(columns))),
            "",
            f"{len(clips)} clips, {each_is}, {shown} of them in the gallery.",
            f"{len(tasks) - len(pending)} of {len(tasks)} answers are there already; the others take "
            f"{in_words(total)} (measured time of a forward pass x passes: an estimate)."
            if pending
            else f"All {len(tasks)} answers are there already.",
            *([f"The rendering of clips is not in that: {', '.join(rendered)}."] if rendered and pending else []),
        ]
    )


def _row(what: str, of_label: Mapping[str, float | None]) -> dict[str, str]:
    return {"what": what} | {label: significant(value) for label, value in of_label.items()}


def _passes(what: str, name: str, costs: Mapping[str, Cost]) -> dict[str, str]:
    """Of a measure that renders its own clips the passes that come once."""
    return _row(what, {label: cost.a_clip.get(name) for label, cost in costs.items()}) | {
        label: f"{cost.once[name]:g} once" for label, cost in costs.items() if cost.once.get(name)
    }


def _seconds(pending: Sequence[Task], label: str) -> float:
    return sum(task.seconds for task in pending if task.asked.source.label == label)


def in_words(seconds: float) -> str:
    """'about 40 s', 'about 12 min', 'about 3.5 h'."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
