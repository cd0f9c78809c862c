"""The report of an experiment, from what its runs have left behind."""

from __future__ import annotations

import pandas as pd

from hybrid.files import read_yaml
from hybrid.folders import ExperimentFolder
from hybrid.report.unchanged import keep_summary, kept_summary

PAPER_NOTE = (
    "* MSE x10^-2, mean (sd), that the paper reports on its own, private clips: another data set, so only the order "
    "of size compares."
)
SIMULATED_NOTE = "These clips are simulated: the result is no evidence about real sperm."


def write_report(folder: ExperimentFolder, *, anew: bool = False) -> str:
    """Write report/: index.html, the tables (csv, md, tex) and the figures (svg, png). Returns what to print.

    Where nothing has changed since the last time, that report stays; anew: write it all the same.
    """
    if not anew and (summary := kept_summary(folder)) is not None:
        return summary
    # Here, because these bring torch and matplotlib, which a report that is there already does not need.
    from hybrid.report.evidence import gather

    evidence = gather(folder)
    summary = _write(evidence)
    keep_summary(folder, summary)
    return summary


def _write(everything) -> str:
    from hybrid.display.tables import as_terminal
    from hybrid.evaluation.contrasts import EXPLORATORY, REGISTERED, contrasts, unanswered
    from hybrid.experiment.ablation_record import recorded
    from hybrid.report.ablations import ablation_parts, arms_beside
    from hybrid.report.clips import films_of, hard_clips
    from hybrid.report.comparisons import contrasts_table, draw_contrasts, sentences, unmatched_compute
    from hybrid.report.figures import draw_cost, draw_curves, draw_folds
    from hybrid.report.grades import draw_calibration, grades_table
    from hybrid.report.lags import lags_part
    from hybrid.report.leaks import leak_notes
    from hybrid.report.learned import learned_part
    from hybrid.report.origin import origin_of, runs_table
    from hybrid.report.page import Contents, write_page
    from hybrid.report.panel import panel_note, panel_of, panel_table
    from hybrid.report.results import measures_table, results_frame, results_table
    from hybrid.report.shares import shares_part
    from hybrid.report.truth import truth_of

    folder, report = everything.folder, everything.folder.report
    ablations = recorded(folder)
    arms = arms_beside(ablations, everything)
    evidence = everything.of(arms)
    results = results_table(evidence)
    pairs = contrasts(folder, among=arms)
    references = _references(evidence)
    measures, panel = measures_table(evidence), panel_of(evidence)
    leaks = leak_notes(everything.results)
    notes = (*leaks, *_notes(references, evidence, [panel_note(panel, measures.frame)] if panel else []))
    open_contrasts = unanswered((result["arm"], result["repeat"], result["fold"]) for result in evidence.results)
    caveats = (*unmatched_compute(results.frame), *open_contrasts)
    tables = [results, measures, grades_table(results.frame, evidence), runs_table(everything)]
    tables += [panel_table(panel, measures.frame)] if panel else []
    pictures = [
        draw_folds(results.frame, evidence, references, report),
        draw_cost(results.frame, report),
        draw_curves(results.frame, evidence, report),
        draw_calibration(results.frame, evidence, report),
    ]
    truth = truth_of(evidence)
    for part in (
        lags_part(results.frame, evidence, truth, references),
        learned_part(results.frame, evidence, truth),
        shares_part(everything),
    ):
        if part is not None:
            tables.append(part[0])
            pictures.append(part[1])
    if len(pairs):
        tables.append(contrasts_table(pairs, results.frame))
        pictures.append(draw_contrasts(pairs, results.frame, report))
    varied = ablation_parts(ablations, results_frame(everything), everything) if ablations else []
    tables += [part.table for part in varied]
    for table in tables:
        table.write(report, {"table": notes, "contrasts": caveats}.get(table.name, ()))
    write_page(
        report / "index.html",
        Contents(
            experiment=folder.path.name,
            simulated=evidence.simulated,
            leaks=leaks,
            facts=_facts(results.frame, evidence),
            lead=_lead(results.frame, references, len(pairs)),
            grades=evidence.grades,
            tables={table.name: table for table in tables},
            pictures={picture.name: picture for picture in pictures},
            registered=sentences(pairs, REGISTERED),
            caveats=list(caveats),
            exploratory=sentences(pairs, EXPLORATORY),
            ablations=varied,
            notes=list(notes),
            clips=hard_clips(results.frame, evidence),
            films=films_of(evidence),
            no_films=evidence.missing,
            origin=origin_of(everything),
        ),
    )
    return "\n".join(
        [
            "",
            as_terminal(results, leave_out=("95 % interval", "excess x10^-2")),
            "",
            *notes,
            *(["Pre-registered contrasts: " + " ".join(caveats)] if caveats else []),
            *(f"\n{part.help}\n{as_terminal(part.table, leave_out=('95 % interval, clips',))}" for part in varied),
            f"report: {report / 'index.html'}",
        ]
    )


def _references(evidence) -> dict[str, float]:
    """MSE x 10^-2 that need no model, over the folds that any model has been tested on."""
    folds = {(result["repeat"], result["fold"]): result["mean_predictor_mse"] for result in evidence.results}
    references = {"mean predictor": 100 * sum(folds.values()) / len(folds)}
    if evidence.noise["ceiling"].notna().any():
        references["noise of the panel"] = float(evidence.noise["ceiling"].mean())
    return references


def _notes(references: dict[str, float], evidence, of_panel: list[str]) -> tuple[str, ...]:
    notes = [
        f"Predicting the training clips' mean distribution for every clip gives {references['mean predictor']:.2f}."
    ]
    if "noise of the panel" in references:
        notes.append(
            f"A perfect model would have {references['noise of the panel']:.2f}, for the panel's votes are a sample; "
            "'excess' is what lies above it."
        )
    else:
        notes.append("How many voted on a clip is not known, so there is no noise ceiling and no excess.")
    notes += [*of_panel, PAPER_NOTE]
    if evidence.simulated:
        notes.append(SIMULATED_NOTE)
    return tuple(notes)


def _facts(results: pd.DataFrame, evidence) -> list[str]:
    settings = read_yaml(evidence.runs[0].config)["protocol"]
    repeats, folds = (len({result[key] for result in evidence.results}) for key in ("repeat", "fold"))
    return [
        _count(len(results), "model"),
        f"{_count(folds, 'fold')} × {_count(repeats, 'repeat')}",
        _count(evidence.predictions["clip"].nunique(), "clip"),
        f"{settings['size']} size",
        f"{settings['num_frames']} frames, {settings['crop_size']} px",
        _count(settings["epochs"], "epoch"),
    ]


def _lead(results: pd.DataFrame, references: dict[str, float], pairs: int) -> str:
    best, mean_predictor = results.iloc[0], references["mean predictor"]
    beaten = int((results["mse_mean"] < mean_predictor).sum())
    lead = (
        f"The lowest mean error is {best.title}'s, {best.mse_mean:.2f} x10^-2. {beaten or 'None'} of "
        f"{_count(len(results), 'model')} {'do' if beaten > 1 else 'does'} better than answering the training clips' "
        f"mean distribution every time ({mean_predictor:.2f})."
    )
    if beaten == 0:
        lead += " Nothing has been learned that helps on held-out clips, so the order of the models means nothing."
    elif pairs:
        lead += " Which differences are more than chance is under Contrasts."
    return lead


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
