"""What it is worth to choose the epoch on the clips that are tested on, where a protocol asks for it.

The authors' own figures (T. Fujii et al., WACV 2024) are chosen so. Nothing else of a report looks at these.
"""

import pandas as pd

from hybrid.display.figures import title_of
from hybrid.display.pages import Section
from hybrid.display.tables import Column, Table, as_terminal
from hybrid.evaluation.comparisons import SCALE, tested_to_trained
from hybrid.evaluation.results import ExperimentResults
from hybrid.evaluation.statistics import CorrectedT, corrected_resampled_t
from hybrid.report.data import ReportData

WACV = "WACV 2024 (best epoch, optimistic)"


def best_epoch(data: ReportData) -> Section | None:
    """None where no run tells of its best epoch."""
    frame = best_epoch_frame(data.results)
    if frame.empty:
        return None
    frame["wacv_mse"] = frame["arm"].map(data.frame.set_index("arm")["wacv_mse"])
    table, notes = best_epoch_table(frame), (_note(data.results, frame),)
    printed = "\n".join(["", as_terminal(table, leave_out=(WACV,)), "", *notes])
    return Section("best_epoch", "Best epoch (optimistic)", (table,), notes=notes, printed=printed)


def best_epoch_frame(results: ExperimentResults) -> pd.DataFrame:
    """A row an arm, best last epoch first, over the runs that tell of their best epoch; MSE x 10^-2.

    optimism: last minus best epoch, never below 0; its 95 % interval is that of the corrected resampled t over runs.
    """
    rows = []
    for arm, told in _told(results).groupby("arm"):
        several, test = len(told) > 1, _difference(results, told)
        rows.append(
            {
                "arm": arm,
                "title": title_of(arm, told["model"].iloc[0]),
                "runs": len(told),
                "last_mean": told["last"].mean(),
                "last_sd": told["last"].std() if several else None,
                "best_mean": told["best"].mean(),
                "best_sd": told["best"].std() if several else None,
                "optimism": (told["last"] - told["best"]).mean(),
                "optimism_low": test.low if test else None,
                "optimism_high": test.high if test else None,
            }
        )
    rows.sort(key=lambda row: (row["last_mean"], row["arm"]))
    return pd.DataFrame(rows)


def optimism_of_all(results: ExperimentResults) -> CorrectedT | None:
    """Last minus best, as the mean over all arms that tell of it, over the runs that each of them has; None of one."""
    told = _told(results)
    arms = told.groupby(["repeat", "fold"])["arm"].transform("nunique")
    shared = told[arms == told["arm"].nunique()].groupby(["repeat", "fold"])[["last", "best", "test_clips"]].mean()
    return _difference(results, shared)


def _told(results: ExperimentResults) -> pd.DataFrame:
    """A row a run that tells of its best epoch; MSE x 10^-2 of it and of the last one."""
    columns = ("arm", "model", "repeat", "fold", "test_clips", "last", "best")
    rows = [
        (run.arm, run.result["model"], run.repeat, run.fold, run.test_clips, run.mse, run.result["best_epoch"]["mse"])
        for run in results.runs
        if "best_epoch" in run.result
    ]
    told = pd.DataFrame(rows, columns=columns)
    # The last epoch is one of them; that it was computed twice, in other batches, must not make it worse than itself.
    return told.assign(last=SCALE * told["last"], best=SCALE * told[["best", "last"]].min(axis=1))


def _difference(results: ExperimentResults, runs: pd.DataFrame) -> CorrectedT | None:
    if len(runs) < 2:
        return None
    ratio = tested_to_trained(runs["test_clips"], len(results.groups))
    return corrected_resampled_t(runs["last"] - runs["best"], ratio, least=0)


def best_epoch_table(frame: pd.DataFrame) -> Table:
    """frame: of `best_epoch_frame`, with published figures."""
    return Table(
        "best_epoch",
        "MSE x10^-2 on held-out clips of the last epoch, and of the epoch that is best on these same clips: the latter "
        "is optimistic.",
        frame,
        (
            Column.words("model", "title"),
            Column.spread("last epoch (sd)", "last"),
            Column.spread(
                "best epoch, optimistic (sd)",
                "best",
                about="lowest of all epochs on the held-out fold, a choice that a new clip has no part in",
            ),
            Column.number(
                "last minus best",
                "optimism",
                sign=True,
                about="what choosing the epoch on the tested clips takes off the error",
            ),
            Column.interval(
                "95 % interval", "optimism_low", "optimism_high", sign=True, about="corrected resampled t over runs"
            ),
            Column.number(WACV, "wacv_mse", 3, about="on the authors' own, private clips"),
            Column.number("runs", "runs", 0),
        ),
        sorted_by="last_mean",
    )


def _note(results: ExperimentResults, frame: pd.DataFrame) -> str:
    mean, least, most = (getattr(frame["optimism"], of)() for of in ("mean", "min", "max"))
    interval = f", 95 % interval {test.low:.3f} to {test.high:.3f}" if (test := optimism_of_all(results)) else ""
    return (
        f"Choosing the epoch on the held-out fold takes {mean:.3f} x10^-2 off the error in the mean over models"
        f"{interval}; by model {least:.3f} to {most:.3f}. Such an error is optimistic: no contrast and no choice here "
        "uses it."
    )
