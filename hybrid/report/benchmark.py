"""The report of a benchmark: tables and a picture, from the result files alone."""

from __future__ import annotations

from typing import Any

from hybrid.experiment.folder import ExperimentFolder
from hybrid.files import whole_file, write_text
from hybrid.report.figure import draw_benchmark
from hybrid.report.table import as_markdown, as_terminal, benchmark_table

PAPER_NOTE = (
    "* MSE x 10^-2, mean (sd), that the paper reports on its own, private clips: another data set, so only the order "
    "of size compares."
)
SIMULATED_NOTE = "These clips are simulated: the result is no evidence about real sperm."


def write_report(folder: ExperimentFolder) -> str:
    """Write report/ (table.csv, table.md, mse.png, mse.svg) and return what to print in a terminal."""
    results = folder.results()
    table = benchmark_table(results)
    mean_predictor = 100 * _mean_predictor_mse(results)
    notes = [f"Predicting the training clips' mean distribution for every clip gives {mean_predictor:.2f}.", PAPER_NOTE]
    if any(result["simulated"] for result in results):
        notes.append(SIMULATED_NOTE)
    with whole_file(folder.report / "table.csv") as temporary:
        table.to_csv(temporary, index=False)
    heading = f"# {folder.path.name}\n\n"
    write_text(folder.report / "table.md", heading + as_markdown(table) + "\n\n" + "\n\n".join(notes) + "\n")
    draw_benchmark(table, results, {"mean predictor": mean_predictor}, folder.report / "mse.png")
    return "\n".join(["", as_terminal(table), "", *notes, f"report: {folder.report}"])


def _mean_predictor_mse(results: list[dict[str, Any]]) -> float:
    """Over the folds that any model has been tested on."""
    folds = {(result["repeat"], result["fold"]): result["mean_predictor_mse"] for result in results}
    return sum(folds.values()) / len(folds)
