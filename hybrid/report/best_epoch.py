"""What it is worth to choose the epoch on the clips that are tested on, where a protocol asks for it.

The authors' own figures (T. Fujii et al., WACV 2024) are chosen so. Nothing else of a report looks at these.
"""

import pandas as pd

from hybrid.display.figures import title_of
from hybrid.display.pages import Section
from hybrid.display.tables import Column, Table, as_terminal
from hybrid.evaluation.comparisons import SCALE, tested_to_trained
from hybrid.evaluation.results import ExperimentResults
from hybrid.evaluation.statistics import corrected_resampled_t
from hybrid.report.data import ReportData

WACV = "WACV 2024 (best epoch)"


def best_epoch(data: ReportData) -> Section | None:
    """None where no run tells of its best epoch."""
    frame = best_epoch_frame(data.results)
    if frame.empty:
        return None
    frame["wacv_mse"] = frame["arm"].map(data.frame.set_index("arm")["wacv_mse"])
    table, notes = best_epoch_table(frame), (_note(frame),)
    printed = "\n".join(["", as_terminal(table, leave_out=(WACV,)), "", *notes])
    return Section("best_epoch", "Best epoch (optimistic)", (table,), notes=notes, printed=printed)


def best_epoch_frame(results: ExperimentResults) -> pd.DataFrame:
    """A row an arm, best last epoch first, over the runs that tell of their best epoch; MSE x 10^-2.

    optimism: last minus best epoch, never below 0; its 95 % interval is that of the corrected resampled t over runs.
    """
    rows = []
    for arm, runs in results.by_arm.items():
        told = [run for run in runs.values() if "best_epoch" in run.result]
        if not told:
            continue
        last = SCALE * pd.Series([run.mse for run in told])
        best = SCALE * pd.Series([run.result["best_epoch"]["mse"] for run in told])
        several = len(told) > 1
        ratio = tested_to_trained((run.test_clips for run in told), len(results.groups))
        test = corrected_resampled_t(last - best, ratio) if several else None
        rows.append(
            {
                "arm": arm,
                "title": title_of(arm, told[0].result["model"]),
                "runs": len(told),
                "last_mean": last.mean(),
                "last_sd": last.std() if several else None,
                "best_mean": best.mean(),
                "best_sd": best.std() if several else None,
                "optimism": (last - best).mean(),
                "optimism_low": test.low if test else None,
                "optimism_high": test.high if test else None,
            }
        )
    rows.sort(key=lambda row: (row["last_mean"], row["arm"]))
    return pd.DataFrame(rows)


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


def _note(frame: pd.DataFrame) -> str:
    mean, least, most = (getattr(frame["optimism"], of)() for of in ("mean", "min", "max"))
    return (
        f"Choosing the epoch on the held-out fold takes {mean:.2f} x10^-2 off the error in the mean over models "
        f"({least:.2f} to {most:.2f}). Such an error is optimistic: no contrast and no choice here uses it."
    )
