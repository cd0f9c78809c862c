"""Error against the share of the training clips: a line for each way a model can start, pretrained or not."""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.ticker import NullLocator

from baselines.registry import is_shipped
from hybrid import get_entry
from hybrid.display.figures import FAMILY_COLOURS, INK, Picture, new_figure, picture, styled
from hybrid.display.pages import Section
from hybrid.display.tables import Column, Table
from hybrid.evaluation.comparisons import SCALE, compare
from hybrid.evaluation.results import ExperimentResults, Runs
from hybrid.report.data import ReportData

FRESH = "fresh weights"
DASHES = ("-", "-.", (0, (1, 1)))
"""of starts other than fresh weights, whose lines are dashed"""


@dataclass(frozen=True, eq=False)
class Line:
    """One model, started one way, trained on several shares; `runs` by share."""

    model: str
    start: str
    runs: dict[float, Runs]

    @property
    def title(self) -> str:
        return f"{get_entry(self.model).title}, {self.start}"


def shares(data: ReportData) -> Section | None:
    """None where no model was trained on several shares."""
    everything = data.everything
    if len({result.get("train_share", 1.0) for result in everything.results}) < 2:
        return None
    lines = lines_of(everything)
    if not lines:
        return None
    frame = shares_frame(lines, everything.groups)
    drawn = draw_shares(lines, frame, everything)
    return Section("shares", "Share of the training clips", (_table(frame),), (drawn,))


def lines_of(results: ExperimentResults) -> list[Line]:
    """The arms whose settings differ in their share alone, together; without those of which there is one share."""
    lines: dict[str, Line] = {}
    for arm, runs in results.by_arm.items():
        settings = results.folder.read_model(arm)
        share = settings["recipe"].pop("train_share", 1.0)
        line = Line(settings["name"], _start(settings["pretrained"]), defaultdict(dict))
        lines.setdefault(json.dumps(settings, sort_keys=True), line).runs[share] |= runs
    several = [line for line in lines.values() if len(line.runs) > 1]
    return sorted(several, key=lambda line: (line.model, line.start != FRESH, line.start))


def _start(pretrained: str) -> str:
    """'fresh weights', 'published weights', or the experiment that a checkpoint is of."""
    if pretrained in ("none", "official"):
        return {"none": FRESH, "official": "published weights"}[pretrained]
    if is_shipped(pretrained):
        return f"pretrained on simulated clips{pretrained.removeprefix('simulated').replace('/', ', ')}"
    return Path(pretrained).parent.parent.name or pretrained


def shares_frame(lines: list[Line], groups: dict[str, str]) -> pd.DataFrame:
    """A row a line and share: MSE x 10^-2 over runs, and how it differs from fresh weights at that share."""
    fresh = {line.model: line for line in lines if line.start == FRESH}
    rows = []
    for line in lines:
        for share, runs in sorted(line.runs.items()):
            mse = SCALE * np.array([run.mse for run in runs.values()])
            row = {
                "line": line.title,
                "model": line.model,
                "start": line.start,
                "share": share,
                "clips": np.mean([run.train_clips for run in runs.values()]),
                "runs": len(runs),
                "mse_mean": mse.mean(),
                "mse_sd": mse.std(ddof=1) if len(mse) > 1 else None,
            }
            other = fresh.get(line.model)
            compared = compare(runs, other.runs.get(share, {}), groups) if other and other is not line else None
            rows.append(row | {key: compared[key] if compared else None for key in ("difference", "low", "high", "p")})
    return pd.DataFrame(rows)


def _table(frame: pd.DataFrame) -> Table:
    return Table(
        "shares",
        "Error by share of the training clips (mean and sd over runs), and how a start differs from fresh weights.",
        frame,
        (
            Column.words("model and start", "line"),
            Column("share", lambda row: f"{row.share:.0%}", "share", about="of the training folds' clips"),
            Column.number("clips", "clips", 0, about="trained on, mean over runs"),
            Column.spread("MSE x10^-2 (sd)", "mse"),
            Column.number(
                "against fresh",
                "difference",
                sign=True,
                about="difference of the MSE x10^-2 to the same model from fresh weights on the same clips",
            ),
            Column.interval(
                "95 % interval",
                "low",
                "high",
                sign=True,
                about="of that difference, by the corrected resampled t; one of several comparisons, not adjusted",
            ),
            Column.number("runs", "runs", 0, about="folds x repeats that are done"),
        ),
    )


@styled
def draw_shares(lines: list[Line], frame: pd.DataFrame, results: ExperimentResults) -> Picture:
    """MSE x 10^-2 over the number of training clips, which is on a logarithmic axis; dots are runs."""
    figure = new_figure(3.6)
    axes = figure.add_subplot()
    starts = [start for start in dict.fromkeys(line.start for line in lines) if start != FRESH]
    for line in lines:
        rows = frame[frame["line"] == line.title]
        colour = FAMILY_COLOURS[get_entry(line.model).family]
        style = "--" if line.start == FRESH else DASHES[starts.index(line.start) % len(DASHES)]
        axes.plot(rows["clips"], rows["mse_mean"], linestyle=style, color=colour, linewidth=1.8, label=line.title)
        for share, clips in zip(rows["share"], rows["clips"], strict=True):
            mse = [SCALE * run.mse for run in line.runs[share].values()]
            face = "none" if line.start == FRESH else colour
            axes.plot([clips] * len(mse), mse, "o", markersize=3.5, color=colour, markerfacecolor=face, alpha=0.6)
    guess = _mean_predictor(lines, results)
    axes.plot(guess.index, guess, color=INK, linewidth=0.9, linestyle=":", label="mean predictor")
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    places = frame.groupby("share")["clips"].mean()
    axes.set_xticks(places, [f"{clips:.0f}\n{share:.0%}" for share, clips in places.items()])
    axes.set_xlabel("training clips, and their share")
    axes.set_ylabel("MSE ×10⁻² on held-out clips")
    axes.grid(axis="y")
    figure.legend(fontsize=8, loc="outside lower center", ncols=1)
    told = "; ".join(f"{row.line} at {row.share:.0%}: {row.mse_mean:.2f}" for row in frame.itertuples())
    return picture(
        figure,
        results.folder.report,
        "shares",
        "Error against the share of the training clips",
        f"MSE times ten to the minus two over the number of training clips. {told}.",
        "Every share is trained for as many steps and tested on the same clips. Dots are runs, lines their mean; the "
        "vertical axis does not start at zero. Pretraining saw more clips of the same simulator: on simulated clips "
        "its gain is an upper bound.",
    )


def _mean_predictor(lines: list[Line], results: ExperimentResults) -> pd.Series:
    """MSE x 10^-2 of answering the training clips' mean distribution, by the number of these clips."""
    shown = {(run.arm, key) for line in lines for runs in line.runs.values() for key, run in runs.items()}
    rows = [
        (result["train_share"], result["train_clips"], SCALE * result["mean_predictor_mse"])
        for result in results.results
        if (result["arm"], (result["repeat"], result["fold"])) in shown
    ]
    means = pd.DataFrame(rows, columns=["share", "clips", "mse"]).groupby("share").mean()
    return means.set_index("clips")["mse"]
