"""What every section of a report is made of, computed once: the results, and a row an arm."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from hybrid import get_entry
from hybrid.display.figures import title_of
from hybrid.evaluation.ablation import Ablation, recorded_ablations
from hybrid.evaluation.comparisons import contrasts, tested_to_trained
from hybrid.evaluation.panel import panel_noise
from hybrid.evaluation.results import ExperimentResults
from hybrid.evaluation.statistics import corrected_resampled_t


@dataclass(frozen=True, eq=False)
class ReportData:
    """everything, all_arms: the experiment, and a row of `results_frame` an arm of it. results, frame: the same of the
    arms that stand for themselves; those that ablations vary stand in their tables. references: MSE x 10^-2 that need
    no model, by name. pairs: of `contrasts`.
    """

    everything: ExperimentResults
    all_arms: pd.DataFrame
    results: ExperimentResults
    frame: pd.DataFrame
    references: dict[str, float]
    pairs: pd.DataFrame
    ablations: list[Ablation]


def report_data(everything: ExperimentResults) -> ReportData:
    ablations, noise = recorded_ablations(everything.folder), panel_noise(everything).set_index("arm")
    arms, all_arms = arms_beside(ablations, everything), results_frame(everything, noise)
    results, frame = everything.of(arms), all_arms[all_arms["arm"].isin(arms)].reset_index(drop=True)
    references = _references(results, noise[noise.index.isin(arms)])
    return ReportData(everything, all_arms, results, frame, references, contrasts(results), ablations)


def arms_beside(ablations: list[Ablation], results: ExperimentResults) -> list[str]:
    """The arms that stand for themselves: models by their own name, and whatever no ablation has asked for."""
    varied = {arm.label for ablation in ablations for arm in ablation.arms}
    arms = {result["arm"]: result["model"] for result in results.results}
    return [arm for arm, model in arms.items() if arm == model or arm not in varied] or list(arms)


def results_frame(results: ExperimentResults, noise: pd.DataFrame) -> pd.DataFrame:
    """A row an arm, best first: MSE x 10^-2 over its runs, its cost, and published figures.

    `mse_sd` is over runs (folds and repeats) with n - 1, and the interval that of the corrected resampled t, cut at
    zero; one with a single run has neither. Published figures are of other, private clips. noise: of `panel_noise`, by
    arm.
    """
    rows = [_row(arm, runs, noise.loc[arm], len(results.groups)) for arm, runs in results_by_arm(results)]
    rows.sort(key=lambda row: (row["mse_mean"], row["arm"]))
    return pd.DataFrame(rows)


def results_by_arm(results: ExperimentResults):
    """Each arm, and a row a run with what its result.json holds."""
    return pd.DataFrame(results.results).groupby("arm")


def _row(arm: str, runs: pd.DataFrame, noise: pd.Series, all_clips: int) -> dict[str, Any]:
    model = runs["model"].iloc[0]
    entry = get_entry(model)
    mse = 100 * pd.Series([metrics["mse"] for metrics in runs["metrics"]])
    paper_mean, paper_sd = entry.paper_mse or (None, None)
    several = len(runs) > 1
    ratio = tested_to_trained(runs["test_clips"], all_clips)
    test = corrected_resampled_t(mse, ratio, least=0) if several else None
    return {
        "arm": arm,
        "model": model,
        "title": title_of(arm, model),
        "family": entry.family,
        "runs": len(runs),
        "mse_mean": mse.mean(),
        "mse_sd": mse.std(ddof=1) if several else None,
        "mse_low": test.low if test else None,
        "mse_high": test.high if test else None,
        **noise[["excess", "excess_low", "excess_high"]],
        "parameters_M": runs["parameters"].iloc[0] / 1e6,
        "gmac": runs["gmac"].iloc[0],
        "train_ms_per_clip": 1e3 * runs["train_seconds_per_clip"].median(),
        "inference_ms_per_clip": 1e3 * runs["inference_seconds_per_clip"].median(),
        "paper_mse_mean": paper_mean,
        "paper_mse_sd": paper_sd,
        "wacv_mse": entry.wacv_mse,
    }


def _references(results: ExperimentResults, noise: pd.DataFrame) -> dict[str, float]:
    """MSE x 10^-2 that need no model, over the folds that any model has been tested on."""
    folds = {(run.repeat, run.fold): run.result["mean_predictor_mse"] for run in results.runs}
    references = {"mean predictor": 100 * sum(folds.values()) / len(folds)}
    if noise["ceiling"].notna().any():
        references["noise of the panel"] = float(noise["ceiling"].mean())
    return references
