"""What the models do on simulated clips, of which it is known what makes them good.

A simulated clip's quality is a sum of parts (form, steady motion, an event, form x motion); of the lag presets it is an
event alone, whose two moments lie some frames apart. How a model's answers go with each part, or with the event at each
lag, tells what its error cannot: which part it has missed.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from hybrid.display.figures import FAMILY_COLOURS, INK, Picture, new_figure, picture, styled
from hybrid.display.pages import Section
from hybrid.display.tables import Column, Table, interval, number
from hybrid.evaluation.comparisons import SCALE
from hybrid.evaluation.metrics import expected_grade, squared_error
from hybrid.evaluation.statistics import clustered_bootstrap
from hybrid.report.data import ReportData

DASHES = ("-", "--", "-.", ":", (0, (1, 1)), (0, (5, 1)), (0, (3, 1, 1, 1)))
MARKERS = "osD^vPX"
"""of the lines of one family, which share its colour"""
PARTS = {"form": "form", "motion": "motion", "event": "event", "interaction": "form x motion"}
"""parts of quality as truth.csv and as people call them"""


def lag_of(truth: pd.DataFrame) -> pd.Series | None:
    """Frames between the two moments of each clip's event; None of a set that is not made of such events alone."""
    if not (truth["event"] == "relation").all():
        return None
    return (truth["event_second"] - truth["event_first"]).round().astype(int)


def lags(data: ReportData) -> Section | None:
    """Error against lag, of the lag presets: how far apart two moments may lie for a model to relate them."""
    truth = data.results.ground_truth
    lag = None if truth is None else lag_of(truth)
    if lag is None:
        return None
    frame, each = lags_frame(data, lag), sorted(lag.unique())
    drawn = draw_lags(frame, each, data.references, data.results.folder.report)
    return Section("lags", "Error by lag", (_lags_table(frame, each),), (drawn,))


def lags_frame(data: ReportData, lag: pd.Series) -> pd.DataFrame:
    """A row an arm: of each lag the MSE x 10^-2 over held-out clips, with its 95 % interval over whole groups of them.

    A clip that several runs were tested on counts once, with the mean of its errors.
    """
    results, rows = data.results, []
    for row in data.frame.itertuples():
        tested = results.predictions[results.predictions["arm"] == row.arm]
        error = pd.Series(SCALE * squared_error(results.answers(tested), results.targets(tested)))
        of_clip = error.groupby(tested["clip"].to_numpy()).mean()
        found = {"arm": row.arm, "title": row.title, "family": row.family}
        for frames, of_lag in of_clip.groupby(lag[of_clip.index].to_numpy()):
            over = clustered_bootstrap(of_lag, of_lag.index.map(results.groups))
            found |= {f"lag{frames}": over.mean, f"lag{frames}_low": over.low, f"lag{frames}_high": over.high}
        rows.append(found)
    return pd.DataFrame(rows)


def _lags_table(frame: pd.DataFrame, lags: list[int]) -> Table:
    def column(name: str) -> Column:
        def text(row) -> str:
            mean, low, high = (getattr(row, key) for key in (name, f"{name}_low", f"{name}_high"))
            return f"{number(mean)} [{interval(low, high)}]"

        return Column(name.replace("lag", "lag "), text, name)

    return Table(
        "lags",
        "Error by lag: MSE x10^-2 of held-out clips whose two moments lie so many frames apart, with its 95 % interval "
        "over their groups.",
        frame,
        (Column.words("model", "title"), *(column(f"lag{frames}") for frames in lags)),
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
        low, mean, high = (
            row[[f"lag{frames}{end}" for frames in lags]].to_numpy(float) for end in ("_low", "", "_high")
        )
        aside = 0.12 * (index - (len(frame) - 1) / 2)  # so that intervals do not hide each other
        axes.errorbar(
            [frames + aside for frames in lags],
            mean,
            [mean - low, high - mean],
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


def learned(data: ReportData) -> Section | None:
    """How the answers go with each part of the true quality, or with the event at each lag."""
    truth = data.results.ground_truth
    if truth is None:
        return None
    of_clip, names = _targets(truth)
    frame = learned_frame(data, of_clip)
    drawn = draw_learned(data.frame, frame, names, data.results.folder.report)
    return Section("learned", "What was learned", (_learned_table(frame, names),), (drawn,))


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


def learned_frame(data: ReportData, of_clip: pd.DataFrame) -> pd.DataFrame:
    """A row an arm: mean and sd over runs of the correlation of the expected grade with each column of `of_clip`."""
    results, rows = data.results, []
    for row in data.frame.itertuples():
        tested = results.predictions[results.predictions["arm"] == row.arm]
        found = []
        for _, run in tested.groupby(["repeat", "fold"]):
            goodness = -expected_grade(results.answers(run))
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


def _learned_table(frame: pd.DataFrame, names: dict[str, str]) -> Table:
    return Table(
        "learned",
        "What was learned: correlation of the answers' expected grade with the true quality of held-out clips and with "
        "each part of it, mean (sd) over runs.",
        frame,
        (Column.words("model", "title"), *(Column.spread(name, part) for part, name in names.items())),
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
