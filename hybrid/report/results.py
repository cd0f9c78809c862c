"""The section of results: the errors of every arm, what they cost, and published figures."""

import pandas as pd

from hybrid.display.figures import title_of
from hybrid.display.pages import Section
from hybrid.display.tables import Column, Table, as_terminal, counted, significant
from hybrid.evaluation.comparisons import LEVEL, REGISTERED
from hybrid.evaluation.metrics import METRICS, Metric
from hybrid.evaluation.results import ExperimentResults
from hybrid.report.data import ReportData, results_by_arm
from hybrid.report.leaks import leak_notes, split_notes
from hybrid.report.panel import heading_of, measured, panel_note, panel_of, panel_table

PAPER_NOTE = (
    "* MSE x10^-2, mean (sd), that the paper (T. Fujii et al., 2Q-08, in Japanese) reports on its own, private clips: "
    "another data set, so only the order of size compares."
)
WACV = "WACV 2024, optimistic**"
WACV_NOTE = (
    "** MSE x10^-2 in T. Fujii et al.: Automated Sperm Assessment Framework and Neural Network Specialized for Sperm "
    "Video Recognition, WACV 2024 (arXiv:2311.05927), most likely on the same clips. It is that of the epoch which is "
    "best on the held-out fold: optimistic, lower than what is to be expected on new clips; ours are the last epoch's. "
    "Their R3D and R(2+1)D are other networks, of 50 layers."
)
FROZEN_NOTE = (
    "Frozen models: a published network stays as it is, and its features of a clip are computed once and kept. "
    "Parameters and times are those of the probe on them, which alone learns; GMAC count both."
)
SIMULATED_NOTE = "These clips are simulated: the result is no evidence about real sperm."


def results(data: ReportData) -> Section:
    table, measures, panel = results_table(data.frame), measures_table(data.results), panel_of(data.results)
    of_panel = [panel_note(panel, measures.frame)] if panel else []
    unfair = (*leak_notes(data.everything.results), *split_notes(data.everything))
    notes = (*unfair, *_notes(data, of_panel))
    printed = as_terminal(table, leave_out=("95 % interval", "excess x10^-2", WACV))
    return Section(
        "results",
        "Results",
        (table, measures, *([panel_table(panel, measures.frame)] if panel else [])),
        layout="results",
        text={"lead": _lead(data)},
        notes=notes,
        printed="\n".join(["", printed, "", *(note for note in notes if note != WACV_NOTE)]),
    )


def results_table(frame: pd.DataFrame) -> Table:
    """frame: of `results_frame`."""
    return Table(
        "table",
        "Error on held-out clips (mean over runs, sd over runs), cost, and published figures.",
        frame,
        (
            Column.words("model", "title"),
            Column.spread(
                "MSE x10^-2 (sd)",
                "mse",
                about="squared error of the probabilities, mean over grades and clips; sd over runs",
            ),
            Column.interval(
                "95 % interval",
                "mse_low",
                "mse_high",
                about="of the mean MSE x10^-2, corrected for training sets that overlap; cut at 0: no error is lower",
            ),
            Column.number(
                "excess x10^-2",
                "excess",
                about="MSE above what a perfect model would have, as the panel itself is noisy; a clip counts once",
            ),
            Column.spread(
                "paper*", "paper_mse", about="MSE x10^-2 that the paper reports on its own clips: another data set"
            ),
            Column.number(
                WACV,
                "wacv_mse",
                3,
                about="MSE x10^-2 in the authors' next paper, of the epoch best on the held-out fold, so optimistic",
            ),
            Column.number("params M", "parameters_M"),
            Column(
                "GMAC", lambda row: significant(row.gmac), "gmac", about="billions of multiply-accumulates for one clip"
            ),
            Column.number("train ms/clip", "train_ms_per_clip", 1),
            Column.number("infer ms/clip", "inference_ms_per_clip", 1),
            Column.words("family", "family"),
            Column.number("runs", "runs", 0, about="folds x repeats that are done"),
        ),
        sorted_by="mse_mean",
    )


def measures_table(results: ExperimentResults) -> Table:
    """Every measure, mean over runs, in the order of the results."""
    rows = []
    for arm, runs in results_by_arm(results):
        means, title = pd.DataFrame(list(runs["metrics"])).mean(), title_of(arm, runs["model"].iloc[0])
        rows.append({"arm": arm, "title": title, **{measure: means[measure] for measure in METRICS}})
    frame = pd.DataFrame(rows).sort_values("mse", kind="stable", ignore_index=True)

    def column(metric: Metric) -> Column:
        name, heading = metric.name, f"{heading_of(metric.name)} ({metric.better} is better)"
        return Column(heading, lambda row: measured(name, getattr(row, name)), name, about=metric.definition)

    columns = Column.words("model", "title"), *map(column, METRICS.values())
    return Table("measures", "All measures, mean over runs.", frame, columns, "mse")


def _notes(data: ReportData, of_panel: list[str]) -> tuple[str, ...]:
    mean_predictor, noise = (data.references.get(name) for name in ("mean predictor", "noise of the panel"))
    notes = [f"Predicting the training clips' mean distribution for every clip gives {mean_predictor:.2f}."]
    if noise is not None:
        notes.append(
            f"A perfect model would have {noise:.2f}, for the panel's votes are a sample; 'excess' is what lies above "
            "it."
        )
        best = data.frame.iloc[0]
        if noise > best["mse_mean"]:
            notes.append(
                f"{best['title']} errs less than that, which no model could if the votes on a clip were independent: "
                "the panel was more of one mind than chance allows, so take neither the bound nor 'excess' at its word."
            )
    else:
        notes.append("How many voted on a clip is not known, so there is no noise ceiling and no excess.")
    notes += [*of_panel, PAPER_NOTE]
    if data.frame["wacv_mse"].notna().any():
        notes.append(WACV_NOTE)
    if "frozen" in data.frame["family"].values:
        notes.append(FROZEN_NOTE)
    if data.results.simulated:
        notes.append(SIMULATED_NOTE)
    return tuple(notes)


def _lead(data: ReportData) -> str:
    best, mean_predictor = data.frame.iloc[0], data.references["mean predictor"]
    beaten = int((data.frame["mse_mean"].round(2) < round(mean_predictor, 2)).sum())  # as they are printed
    lead = (
        f"The lowest mean error is {best.title}'s, {best.mse_mean:.2f} x10^-2. {beaten or 'None'} of "
        f"{counted(len(data.frame), 'model')} {'do' if beaten > 1 else 'does'} better than answering the training "
        f"clips' mean distribution every time ({mean_predictor:.2f})."
    )
    if beaten == 0:
        lead += " Nothing has been learned that helps on held-out clips, so the order of the models means nothing."
    elif len(data.pairs):
        lead += f" {_shown(data, best)}"
    return lead


def _shown(data: ReportData, best) -> str:
    """Over which models the lead of the first is more than chance, of those that this was asked of beforehand."""
    titles, found = data.frame.set_index("arm")["title"], {True: [], False: []}
    for row in data.pairs[data.pairs["kind"] == REGISTERED].itertuples():
        if best.arm in (row.arm_a, row.arm_b):
            other = row.arm_b if row.arm_a == best.arm else row.arm_a
            found[row.p_holm < LEVEL].append(f"{titles[other]} (p {row.p_holm:.3f})")
    told = [f"Its lead over {' and '.join(found[True])} is shown"] if found[True] else []
    told += [f"its lead over {' and '.join(found[False])} is not shown"] if found[False] else []
    if not told:
        return "Whether its lead is more than chance was not asked beforehand; all pairs are under Contrasts."
    sentence = "; ".join(told)
    return (
        f"{sentence[0].upper()}{sentence[1:]}: pre-registered, adjusted by Holm. Over the others nothing was asked "
        "beforehand; all pairs are under Contrasts."
    )
