"""The table that is printed before an analysis starts, and the tables of all its figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial

import pandas as pd

from hybrid.analysis.comparison import Comparison
from hybrid.analysis.compute import Cost, Task
from hybrid.analysis.page.context import PageContext
from hybrid.analysis.plan import AnalysisPlan
from hybrid.display.tables import Column, Table, as_terminal, significant

OVER = {
    "run": "In brackets the 95 % interval over trained models (corrected for training clips they share).",
    "clip": "In brackets the 95 % interval over clips; other trainings of the models may differ by more.",
}


def plan_text(plan: AnalysisPlan, costs: Mapping[str, Cost], tasks: Sequence[Task], pending: Sequence[Task]) -> str:
    """What will be computed: passes through each model, the clips, and the estimated time."""

    def row(what: str, text: Callable[[str], str]) -> dict[str, str]:
        return {"what": what} | {label: text(label) for label in plan.labels}

    def passes(name: str, label: str) -> str:
        """Of a measure that renders its own clips those that come once."""
        once = costs[label].once.get(name)
        return f"{once:g} once" if once else significant(costs[label].a_clip.get(name))

    def minutes(label: str) -> float:
        return sum(task.seconds for task in pending if task.run.label == label) / 60

    rows = [
        row("forward pass, ms a clip", lambda label: significant(1e3 * costs[label].forward_seconds)),
        row("trained models", lambda label: significant(len(plan.runs_of(label)))),
        *(row(name, partial(passes, name)) for name in plan.measures),
        *(row(f"gallery: {name}", partial(passes, name)) for name in plan.attributions),
        row("estimated minutes left, of the processor", lambda label: significant(minutes(label))),
    ]
    rendered = [name for name in plan.measures if any(cost.once.get(name) for cost in costs.values())]
    columns = [Column("passes a clip", lambda row: row.what, figure=False)]
    columns += [Column(label, lambda row, n=n: row[n]) for n, label in enumerate(plan.labels, start=1)]
    clips = {name for run in plan.runs for name in run.clip_names}
    each = sorted({len(run.numbers) for run in plan.runs})
    shown = len({name for run in plan.gallery for name in run.clip_names})
    total = sum(task.seconds for task in pending)
    each_is = f"{' or '.join(map(str, each))} for each trained model"
    frame = pd.DataFrame(rows, columns=["what", *plan.labels])
    return "\n".join(
        [
            as_terminal(Table("plan", "", frame, tuple(columns))),
            "",
            f"{len(clips)} clips, {each_is}, {shown} of them in the gallery.",
            f"{len(tasks) - len(pending)} of {len(tasks)} answers are there already; the others take "
            f"{in_words(total)} of the processor for the passes (one measured, times their number); reading, pictures "
            "and the page come on top."
            if pending
            else f"All {len(tasks)} answers are there already.",
            *([f"The rendering of clips is not in that: {', '.join(rendered)}."] if rendered and pending else []),
        ]
    )


def in_words(seconds: float) -> str:
    """'about 40 s', 'about 12 min', 'about 3.5 h'."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def figures_table(comparisons: Sequence[Comparison], page: PageContext) -> Table:
    """A row for each figure, a column for each model. The frame has both intervals of each."""

    def apart(comparison: Comparison) -> bool:
        return comparison.measure.rendered and not page.plan.simulated

    rows = [
        {"measure": comparison.measure.title + (" (simulated cells)" if apart(comparison) else ""), "figure": name}
        | {
            f"{label} {key}": value
            for label in comparison.labels
            for key, value in asdict(comparison.estimate(label, name)).items()
        }
        for comparison in comparisons
        for name in comparison.names("figures")
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

    def column(label: str) -> Column:
        mean = f"{label} mean"
        return Column(page.title(label), lambda row: cell(row, label), mean if mean in place else None)

    return Table(
        "all-measures",
        f"Every figure of every measure, the mean over clips and trained models. {OVER[over]}",
        frame,
        (
            Column("figure (unit)", lambda row: row[place["figure"]], "figure", figure=False),
            Column("measure", lambda row: row[place["measure"]], "measure", figure=False),
            *map(column, page.styles),
        ),
    )


def values_frame(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """Every single number: a row for each measure, figure, model, run and clip."""
    return pd.concat(
        [
            comparison.values(label, name).assign(measure=comparison.measure.name, figure=name, model=label)
            for comparison in comparisons
            for name in comparison.names("figures")
            for label in comparison.labels
        ],
        ignore_index=True,
    )[["measure", "figure", "model", "run", "clip", "group", "value"]]
