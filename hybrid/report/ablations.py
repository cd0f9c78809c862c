"""Each ablation as a table, a figure and sentences: what an arm changes, and what it costs."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hybrid.display.figures import FAMILY_COLOURS, INK, Picture, new_figure, picture, styled
from hybrid.display.pages import Section
from hybrid.display.tables import Column, Table, as_terminal, interval, number, significant
from hybrid.evaluation.ablation import JOINT, Ablation
from hybrid.evaluation.comparisons import LEVEL
from hybrid.evaluation.effects import effects
from hybrid.report.comparisons import difference_columns, draw_difference, lay_out_differences
from hybrid.report.data import ReportData

COST = ("parameters_M", "gmac", "train_ms_per_clip")


@dataclass(frozen=True)
class AblationPart:
    """What the report shows of an ablation."""

    name: str
    help: str
    lead: str
    table: Table
    picture: Picture
    sentences: list[str]


def ablations(data: ReportData) -> Section | None:
    """Of those whose default and one other arm have two paired runs."""
    parts = [part for ablation in data.ablations if (part := _part(ablation, data)) is not None]
    if not parts:
        return None
    return Section(
        "ablations",
        "Ablations",
        tuple(part.table for part in parts),
        tuple(part.picture for part in parts),
        layout="ablations",
        text={"parts": parts},
        printed="\n".join(
            f"\n{part.help}\n{as_terminal(part.table, leave_out=('95 % interval, clips',))}" for part in parts
        ),
    )


def _part(ablation: Ablation, data: ReportData) -> AblationPart | None:
    everything, labels = data.everything, [arm.label for arm in ablation.arms]
    combined = {label: tuple(label.split(JOINT)) for label in labels} if ablation.factors else {}
    told = effects(everything.by_arm, ablation.default.label, labels, everything.groups, parts=combined)
    frame = _frame(ablation, told, data.all_arms)
    if frame["difference"].isna().all():
        return None
    drawn = draw_ablation(ablation, frame, everything.folder.report)
    sentences = frame["words"].dropna().tolist()
    return AblationPart(ablation.name, ablation.help, _lead(frame), _table(ablation, frame), drawn, sentences)


def _frame(ablation: Ablation, effects_frame: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """A row an arm, the default first: its value, error, difference and cost."""
    shown = {arm.label: arm.shown for arm in ablation.arms} | {
        ablation.default.label: f"{ablation.default.shown} (default)"
    }
    cost = results[["arm", "model", "family", "runs", "mse_mean", "mse_sd", *COST]]
    cost = cost.rename(columns={"runs": "runs_done"})
    rows = pd.concat([pd.DataFrame({"arm": [ablation.default.label]}), effects_frame], ignore_index=True)
    frame = rows.merge(cost, on="arm", how="left")
    frame.insert(1, "value", frame["arm"].map(shown))
    return frame


def _table(ablation: Ablation, frame: pd.DataFrame) -> Table:
    def beyond_the_sum(row) -> str:
        reach = interval(row.interaction_low, row.interaction_high, sign=True)
        return number(row.interaction, sign=True) + (f" ({reach})" if pd.notna(row.interaction) else "")

    beyond = Column(
        "beyond the sum",
        beyond_the_sum,
        "interaction",
        about="difference x10^-2 beyond the sum of those of the single changes, with its 95 % interval over runs",
    )
    return Table(
        f"ablation-{ablation.name}",
        f"{ablation.help} Differences of MSE x10^-2, arm minus default: negative means that the arm is better.",
        frame,
        (
            Column.words(ablation.name.replace("_", " "), "value"),
            Column.spread("MSE x10^-2 (sd)", "mse"),
            *difference_columns(
                "corrected resampled t over runs that both have done; not adjusted for the number of arms",
                "bootstrap of groups of clips, the trained models held fixed",
            ),
            Column.number("p, Holm", "p_holm", 3, about="adjusted over the arms of this table"),
            *([beyond] if frame["interaction"].notna().any() else []),
            Column.number("params M", "parameters_M"),
            Column("GMAC", lambda row: significant(row.gmac), "gmac", about="of one clip"),
            Column.number("train ms/clip", "train_ms_per_clip", 1),
            Column.number("runs", "runs_done", 0, about="that are done"),
        ),
    )


def _lead(frame: pd.DataFrame) -> str:
    arms = frame[frame["difference"].notna()]
    clear = arms[arms["p_holm"] < LEVEL]
    counts = {word: int((sign * clear["difference"] < 0).sum()) for word, sign in (("lower", 1), ("higher", -1))}
    lead = (
        f"Of {len(arms)} arm{'s' if len(arms) > 1 else ''} beside the default, {counts['lower'] or 'none'} "
        f"ha{'ve' if counts['lower'] > 1 else 's'} a lower MSE and {counts['higher'] or 'none'} a higher one by more "
        f"than chance explains (Holm-adjusted p below {LEVEL})."
    )
    if missing := len(frame) - 1 - len(arms):
        lead += f" {missing} cannot be compared yet: two runs are needed that the default has done too."
    return lead


@styled
def draw_ablation(ablation: Ablation, frame: pd.DataFrame, folder: Path) -> Picture:
    """A row an arm: the difference with its intervals; beside it GMAC and training time."""
    rows = list(frame.itertuples())
    figure = new_figure(1.15 + 0.34 * len(rows))
    difference, gmac, time = figure.subplots(1, 3, sharey=True, width_ratios=(3, 1, 1))
    reach = 0.0
    for position, row in enumerate(rows):
        colour = FAMILY_COLOURS[row.family] if pd.notna(row.family) else INK
        if pd.isna(row.difference):
            difference.plot(0, position, "|" if position == 0 else "", color=INK, markersize=11)
        else:
            reach = draw_difference(difference, position, row, colour, reach, filled=row.p_holm < LEVEL)
        for axes, value, text in (
            (gmac, row.gmac, significant(row.gmac)),
            (time, row.train_ms_per_clip, number(row.train_ms_per_clip, 1)),
        ):
            axes.barh(position, 0 if pd.isna(value) else value, height=0.55, color=colour, alpha=0.35)
            axes.text(0, position, f" {text}", va="center", fontsize=8)
    lay_out_differences(difference, [row.value.replace(", ", "\n") for row in rows], reach)
    difference.set_xlabel("MSE ×10⁻², arm minus default\n← arm better     worse →")
    for axes, label in ((gmac, "GMAC"), (time, "train ms\na clip")):
        axes.set_xlabel(label)
        axes.set_xticks([])
        axes.tick_params(left=False)
        axes.spines[["bottom", "left"]].set_visible(False)
    name = ablation.name.replace("_", " ")
    told = "; ".join(f"{row.value}: {row.difference:+.2f}" for row in rows[1:] if pd.notna(row.difference))
    return picture(
        figure,
        folder,
        f"ablation-{ablation.name}",
        f"Ablation of {name}",
        f"Differences of MSE times ten to the minus two to the default, {rows[0].value}. {told}. The intervals and the "
        "cost are in the table.",
        "Solid: 95 % interval over folds and repeats (cut at the frame); dotted: over clips, the trained models held "
        "fixed. A filled dot: Holm-adjusted p below 0.05 over these arms. Right: cost of one clip.",
    )
