"""What the models have learned of simulated clips, of which it is known what makes them good.

A simulated clip's quality is a sum of parts (form, steady motion, an event, form x motion); of the lag presets it is an
event alone, whose two moments lie some frames apart. How a model's answers go with each part, or with the event at each
lag, tells what its error cannot: which part it has missed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from hybrid.display.figures import FAMILY_COLOURS, INK, Picture, new_figure, picture, styled
from hybrid.display.tables import Column, Table, number, spread
from hybrid.evaluation.metrics import expected_grade
from hybrid.report.evidence import Evidence
from hybrid.report.truth import lag_of

PARTS = {"form": "form", "motion": "motion", "event": "event", "interaction": "form x motion"}
"""parts of quality as truth.csv and as people call them"""


def learned_part(results: pd.DataFrame, evidence: Evidence, truth: pd.DataFrame | None) -> tuple[Table, Picture] | None:
    """The table and the figure; None where nothing is known of the clips.

    results: a row an arm, in their order. truth: of `truth_of`.
    """
    if truth is None:
        return None
    of_clip, names = _targets(truth)
    frame = learned_frame(results, evidence, of_clip)
    return _table(frame, names), draw_learned(results, frame, names, evidence.folder.report)


def _targets(truth: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """A column for all and for each part, NaN for the clips it is not about; and what people call them."""
    of_clip, names = {"all": truth["quality"]}, {"all": "all"}
    if (lag := lag_of(truth)) is not None:
        for frames in sorted(lag.unique()):
            of_clip[f"lag{frames}"] = truth["quality"].where(lag == frames)
            names[f"lag{frames}"] = f"lag {frames}"
    else:
        for part, name in PARTS.items():
            if truth[f"quality_{part}"].std() > 0:
                of_clip[part], names[part] = truth[f"quality_{part}"], name
    return pd.DataFrame(of_clip), names


def learned_frame(results: pd.DataFrame, evidence: Evidence, of_clip: pd.DataFrame) -> pd.DataFrame:
    """A row an arm: mean and sd over runs of the correlation of the expected grade with each column of `of_clip`."""
    rows = []
    for row in results.itertuples():
        tested = evidence.predictions[evidence.predictions["arm"] == row.arm]
        found = []
        for _, run in tested.groupby(["repeat", "fold"]):
            goodness = -expected_grade(evidence.answers(run))
            found.append({name: _correlation(goodness, of_clip.loc[run["clip"], name]) for name in of_clip})
        found = pd.DataFrame(found)
        figures = {f"{name}_mean": found[name].mean() for name in found}
        figures |= {f"{name}_sd": found[name].std() for name in found}
        rows.append({"arm": row.arm, "title": row.title, "runs": len(found), **figures})
    return pd.DataFrame(rows)


def _correlation(goodness_N: np.ndarray, part_N: pd.Series) -> float:
    """Pearson's; 0 where the answers do not vary."""
    there_N = part_N.notna().to_numpy()
    goodness_N, part_N = goodness_N[there_N], part_N.to_numpy(float)[there_N]
    if len(goodness_N) < 2 or np.ptp(goodness_N) < 1e-9 or np.ptp(part_N) < 1e-9:
        return 0.0
    return float(np.corrcoef(goodness_N, part_N)[0, 1])


def _table(frame: pd.DataFrame, names: dict[str, str]) -> Table:
    place = {name: index for index, name in enumerate(frame.columns)}

    def column(part: str, name: str) -> Column:
        mean, sd = place[f"{part}_mean"], place[f"{part}_sd"]
        return Column(name, lambda row: spread(row[mean], row[sd]), f"{part}_mean")

    return Table(
        "learned",
        "What was learned: correlation of the answers' expected grade with the true quality of held-out clips and with "
        "each part of it, mean (sd) over runs.",
        frame,
        (
            Column("model", lambda row: row[place["title"]], "title", figure=False),
            *(column(part, name) for part, name in names.items()),
        ),
    )


@styled
def draw_learned(results: pd.DataFrame, frame: pd.DataFrame, names: dict[str, str], folder: Path) -> Picture:
    """A column a part, a row a model: a dot for the mean, a line for the sd over runs."""
    figure = new_figure(0.9 + 0.22 * len(frame))
    all_axes = figure.subplots(1, len(names), sharey=True, sharex=True, squeeze=False)[0]
    height = np.arange(len(frame))[::-1]
    for axes, (part, name) in zip(all_axes, names.items(), strict=True):
        axes.axvline(0, color=INK, linewidth=0.7, alpha=0.6)
        for y, family, mean, sd in zip(
            height, results["family"], frame[f"{part}_mean"], frame[f"{part}_sd"].fillna(0), strict=True
        ):
            axes.plot([mean - sd, mean + sd], [y, y], color=FAMILY_COLOURS[family], linewidth=1.2)
            axes.plot(mean, y, "o", color=FAMILY_COLOURS[family], markersize=4)
        axes.set_title(name.replace(" x ", " x\n"), fontsize=8.5)
        axes.tick_params(axis="x", labelsize=7)
        axes.grid(axis="x")
    all_axes[0].set_yticks(height, frame["title"], fontsize=8)
    all_axes[0].set_ylim(-0.6, len(frame) - 0.4)
    lowest = min((frame[f"{part}_mean"] - frame[f"{part}_sd"].fillna(0)).min() for part in names)
    all_axes[0].set_xlim(min(-0.2, lowest - 0.05), 1.05)
    all_axes[0].set_xticks([0, 0.5, 1], ["0", ".5", "1"])
    figure.supxlabel("correlation with the answer", fontsize=9)
    told = "; ".join(
        f"{row['title']}: " + ", ".join(f"{name} {number(row[f'{part}_mean'])}" for part, name in names.items())
        for _, row in frame.iterrows()
    )
    return picture(
        figure,
        folder,
        "learned",
        "What was learned",
        f"Correlation of each model's answers with the true quality and its parts. {told}.",
        "The clips are simulated, so it is known what makes each of them good. A dot is the mean over runs, its line "
        "the standard deviation; at zero a model has learned nothing of that part.",
    )
