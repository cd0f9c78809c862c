"""The paired comparisons of models as a table and a figure; `hybrid.evaluation.comparisons` computes them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from hybrid.display.figures import FAMILY_COLOURS, INK, Picture, new_figure, picture, styled
from hybrid.display.pages import Section
from hybrid.display.tables import Column, Table, number
from hybrid.evaluation.comparisons import EXPLORATORY, REGISTERED, unanswered
from hybrid.report.data import ReportData

OWN, ENSEMBLE = "hybrid", "ensemble"
MATCHED = 0.1
"""how far an ensemble's GMAC may lie from the hybrid's, as a share of it, and still be called compute-matched"""


def contrasts(data: ReportData) -> Section:
    done = [(run.arm, run.repeat, run.fold) for run in data.results.runs]
    planned = [run.arm for run in data.results.folder.planned_runs()]
    told = [*unmatched_compute(data.frame), *unanswered(done, planned)]
    answered = len(data.pairs) > 0
    return Section(
        "contrasts",
        "Contrasts",
        (contrasts_table(data.pairs, data.frame),) if answered else (),
        (draw_contrasts(data.pairs, data.frame, data.results.folder.report),) if answered else (),
        layout="contrasts",
        text={"registered": sentences(data.pairs, REGISTERED), "exploratory": sentences(data.pairs, EXPLORATORY)},
        notes=tuple(told),
        printed="Pre-registered contrasts: " + " ".join(told) if told else "",
    )


def contrasts_table(frame: pd.DataFrame, results: pd.DataFrame) -> Table:
    """frame: of `hybrid.evaluation.comparisons.contrasts`; results: a row an arm, with its title."""
    titles = results.set_index("arm")["title"]
    frame = frame.assign(title_a=frame["arm_a"].map(titles), title_b=frame["arm_b"].map(titles))
    return Table(
        "contrasts",
        "Differences of MSE x10^-2, first model minus second: negative means that the first is better.",
        frame,
        (
            Column.words("first", "title_a"),
            Column.words("second", "title_b"),
            Column.words("kind", "kind"),
            Column.number("runs", "runs", 0, about="folds and repeats that both have done"),
            *difference_columns(
                "corrected resampled t: what other folds and training would do",
                "bootstrap of groups of clips: what other clips would do to these trained models",
            ),
            Column.number("p", "p", 3, about="of the corrected resampled t, two-sided"),
            Column.number("p, Holm", "p_holm", 3, about="adjusted over the pre-registered"),
            Column(
                "P better / equal / worse",
                lambda row: " / ".join(number(p) for p in (row.a_better, row.equivalent, row.b_better)),
                "a_better",
                about="that the first is better, within 0.05 x10^-2 of the second, or worse (Bayesian correlated t)",
            ),
        ),
    )


def difference_columns(over_runs: str, over_clips: str) -> tuple[Column, ...]:
    """Of rows of `hybrid.evaluation.comparisons.compare`; over_runs, over_clips: about the two intervals."""
    return (
        Column.number("difference x10^-2", "difference", sign=True),
        Column.interval("95 % interval, runs", "low", "high", sign=True, about=over_runs),
        Column.interval("95 % interval, clips", "clip_low", "clip_high", sign=True, about=over_clips),
    )


def unmatched_compute(results: pd.DataFrame) -> list[str]:
    """A sentence where the ensemble, which is to cost what the hybrid does, costs something else."""
    gmac = results.set_index("arm")["gmac"]
    if not {OWN, ENSEMBLE} <= set(gmac.index) or abs(gmac[ENSEMBLE] / gmac[OWN] - 1) <= MATCHED:
        return []
    return [
        f"{OWN} against {ENSEMBLE} is not compute-matched here: {number(gmac[OWN], 3)} against "
        f"{number(gmac[ENSEMBLE], 3)} GMAC."
    ]


def sentences(frame: pd.DataFrame, kind: str) -> list[str]:
    return list(frame.loc[frame["kind"] == kind, "words"])


@styled
def draw_contrasts(frame: pd.DataFrame, results: pd.DataFrame, folder: Path) -> Picture:
    """One arm against every other, its intervals over runs and over clips: the hybrid where there is one."""
    known = results.set_index("arm")
    own = OWN if OWN in known.index else known.index[0]
    rows = [row for row in frame.itertuples() if own in (row.arm_a, row.arm_b)]
    rows.sort(
        key=lambda row: (row.kind != REGISTERED, known.index.get_loc(row.arm_b if row.arm_a == own else row.arm_a))
    )
    title = known.loc[own, "title"]
    figure = new_figure(1.2 + 0.34 * len(rows))
    axes = figure.add_subplot()
    names, reach = [], 0.0
    for position, row in enumerate(rows):
        sign = 1 if row.arm_a == own else -1
        other = known.loc[row.arm_b if sign == 1 else row.arm_a]
        colour = FAMILY_COLOURS[other.family]
        names.append(other.title + (" †" if row.kind == REGISTERED else ""))
        reach = draw_difference(axes, position, row, colour, reach, sign=sign, filled=row.kind == REGISTERED)
    lay_out_differences(axes, names, reach)
    axes.set_xlabel(f"MSE ×10⁻², {title} minus the other\n← {title} better     other better →")
    listed = "; ".join(
        f"{name.replace(' †', ' (pre-registered)')}: {(1 if row.arm_a == own else -1) * row.difference:+.2f}"
        for name, row in zip(names, rows, strict=True)
    )
    return picture(
        figure,
        folder,
        "contrasts",
        f"{title} against the others",
        f"Differences of MSE times ten to the minus two, {title} minus each other model. {listed}. "
        "The intervals are in the table of contrasts.",
        "Solid: 95 % interval over folds and repeats (cut at the frame); dotted: over clips, the trained models held "
        "fixed. † and a filled dot: pre-registered; all else is exploratory.",
    )


def draw_difference(axes, position: int, row, colour: str, reach: float, *, sign: int = 1, filled: bool) -> float:
    """A row's difference with its two intervals; returns how far from zero the axis must reach for it and `reach`."""
    axes.plot([sign * row.low, sign * row.high], [position - 0.12] * 2, color=colour, linewidth=2.2)
    axes.plot([sign * row.clip_low, sign * row.clip_high], [position + 0.16] * 2, ":", color=colour, linewidth=1.8)
    face = colour if filled else "none"
    axes.plot(sign * row.difference, position - 0.12, "o", color=colour, markerfacecolor=face, markersize=6)
    reach = max(reach, *(abs(value) for value in (row.clip_low, row.clip_high, row.difference) if pd.notna(value)))
    return max(reach, min(max(abs(row.low), abs(row.high)), 4 * reach))


def lay_out_differences(axes, names: Sequence[str], reach: float) -> None:
    """A row a name, from the top, about zero."""
    axes.axvline(0, color=INK, linewidth=0.9)
    axes.set_xlim(-1.1 * reach, 1.1 * reach)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x")
