"""Error against lag, of the lag presets: how far apart two moments may lie for a model to relate them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hybrid.display.figures import FAMILY_COLOURS, INK, Picture, new_figure, picture, styled
from hybrid.display.tables import Column, Table, interval, number
from hybrid.evaluation.metrics import squared_error
from hybrid.evaluation.pairs import SCALE
from hybrid.evaluation.statistics import clustered_bootstrap
from hybrid.report.evidence import Evidence
from hybrid.report.truth import lag_of

DASHES = ("-", "--", "-.", ":", (0, (1, 1)), (0, (5, 1)), (0, (3, 1, 1, 1)))
MARKERS = "osD^vPX"
"""of the lines of one family, which share its colour"""


def lags_part(
    results: pd.DataFrame, evidence: Evidence, truth: pd.DataFrame | None, references: dict[str, float]
) -> tuple[Table, Picture] | None:
    """The table and the figure; None where the clips are of no lag preset.

    results: a row an arm, in their order. truth: of `truth_of`. references: MSE x 10^-2 that need no model, by name.
    """
    lag = None if truth is None else lag_of(truth)
    if lag is None:
        return None
    frame = lags_frame(results, evidence, lag)
    lags = sorted(lag.unique())
    return _table(frame, lags), draw_lags(frame, lags, references, evidence.folder.report)


def lags_frame(results: pd.DataFrame, evidence: Evidence, lag: pd.Series) -> pd.DataFrame:
    """A row an arm: of each lag the MSE x 10^-2 over held-out clips, with its 95 % interval over whole groups of them.

    A clip that several runs were tested on counts once, with the mean of its errors.
    """
    rows = []
    for row in results.itertuples():
        tested = evidence.predictions[evidence.predictions["arm"] == row.arm]
        error = pd.Series(SCALE * squared_error(evidence.answers(tested), evidence.targets(tested)))
        of_clip = error.groupby(tested["clip"].to_numpy()).mean()
        found = {"arm": row.arm, "title": row.title, "family": row.family}
        for frames, of_lag in of_clip.groupby(lag[of_clip.index].to_numpy()):
            over_clips = clustered_bootstrap(of_lag, of_lag.index.map(evidence.groups))
            found |= {
                f"lag{frames}": over_clips.mean,
                f"lag{frames}_low": over_clips.low,
                f"lag{frames}_high": over_clips.high,
            }
        rows.append(found)
    return pd.DataFrame(rows)


def _table(frame: pd.DataFrame, lags: list[int]) -> Table:
    place = {name: index for index, name in enumerate(frame.columns)}

    def column(name: str) -> Column:
        mean, low, high = place[name], place[f"{name}_low"], place[f"{name}_high"]
        return Column(
            name.replace("lag", "lag "), lambda row: f"{number(row[mean])} [{interval(row[low], row[high])}]", name
        )

    return Table(
        "lags",
        "Error by lag: MSE x10^-2 of held-out clips whose two moments lie so many frames apart, with its 95 % interval "
        "over their groups.",
        frame,
        (
            Column("model", lambda row: row[place["title"]], "title", figure=False),
            *(column(f"lag{frames}") for frames in lags),
        ),
    )


@styled
def draw_lags(frame: pd.DataFrame, lags: list[int], references: dict[str, float], folder: Path) -> Picture:
    """A line a model over the lags, with its interval over clips."""
    figure = new_figure(3.4)
    axes = figure.subplots()
    for name, value in references.items():
        axes.axhline(value, color=INK, linewidth=0.7, linestyle=":")
        axes.annotate(name, (0, value), (2, 2), ("axes fraction", "data"), "offset points", fontsize=7)
    seen: dict[str, int] = {}
    for index, row in frame.iterrows():
        number_in_family = seen[row["family"]] = seen.get(row["family"], -1) + 1
        values = [row[f"lag{frames}"] for frames in lags]
        ends = [
            [value - row[f"lag{frames}_low"] for value, frames in zip(values, lags, strict=True)],
            [row[f"lag{frames}_high"] - value for value, frames in zip(values, lags, strict=True)],
        ]
        aside = 0.12 * (index - (len(frame) - 1) / 2)  # so that intervals do not hide each other
        axes.errorbar(
            [frames + aside for frames in lags],
            values,
            ends,
            color=FAMILY_COLOURS[row["family"]],
            linestyle=DASHES[number_in_family % len(DASHES)],
            marker=MARKERS[number_in_family % len(MARKERS)],
            markersize=4,
            linewidth=1.2,
            elinewidth=0.8,
            label=row["title"],
        )
    axes.set_xticks(lags)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("lag (frames)")
    axes.set_ylabel("MSE ×10⁻² on held-out clips")
    axes.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=2, fontsize=7)
    told = "; ".join(
        f"{row['title']}: " + ", ".join(f"lag {frames} {number(row[f'lag{frames}'])}" for frames in lags)
        for _, row in frame.iterrows()
    )
    return picture(
        figure,
        folder,
        "lags",
        "Error by lag",
        f"MSE x10^-2 by the number of frames between the two moments of a clip's event. {told}.",
        "What makes a clip good is how two of its moments relate, so many frames apart; neither alone says anything. "
        "Bars: 95 % over groups of held-out clips. They say nothing of another training.",
    )
