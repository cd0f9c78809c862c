"""The stored results of an analysis, measure by measure, over models, runs and clips."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hybrid.analysis.base import Matrix, Measure, MeasureResult
from hybrid.analysis.plan import AnalysisPlan, RunOnClips
from hybrid.analysis.store import read_result
from hybrid.evaluation.estimates import Estimate, difference, estimate


@dataclass(frozen=True, eq=False)
class RunCurves:
    """One curve of one model: y_RX for each run, over x_X, the mean over its clips; estimate_X: their mean."""

    x_X: np.ndarray
    y_RX: np.ndarray
    estimate_X: tuple[Estimate, ...]
    x_label: str
    y_label: str

    @property
    def mean_X(self) -> np.ndarray:
        return np.array([estimate.mean for estimate in self.estimate_X])


@dataclass(frozen=True, eq=False)
class Comparison:
    """What one measure says of all models. results: by label, the runs in order."""

    measure: Measure
    results: dict[str, list[tuple[RunOnClips, MeasureResult]]]

    @property
    def labels(self) -> list[str]:
        return list(self.results)

    def names(self, kind: str) -> list[str]:
        """Of all 'figures', 'curves' or 'matrices' of any model; numbers of all clips together count as figures."""
        kinds = ("figures", "overall") if kind == "figures" else (kind,)
        found = [result for runs in self.results.values() for _, result in runs]
        return list(dict.fromkeys(name for one in kinds for result in found for name in getattr(result, one)))

    def values(self, label: str, figure: str) -> pd.DataFrame:
        """A row for each run and clip: run, clip, group, value; of a figure of all clips together, one for each run."""
        rows = []
        for run, result in self.results[label]:
            if figure in result.figures:
                rows += _rows(run, result.figures[figure])
            elif figure in result.overall:
                rows.append((run.name, "all", "all", result.overall[figure]))
        return pd.DataFrame(rows, columns=["run", "clip", "group", "value"]).astype({"value": float})

    def estimate(self, label: str, figure: str) -> Estimate:
        return estimate(self.values(label, figure), self.test_to_train(label), self.measure.least(figure))

    def difference(self, first: str, second: str, figure: str) -> Estimate:
        """First minus second."""
        return difference(self.values(first, figure), self.values(second, figure), self.test_to_train(first))

    def curves(self, label: str, name: str) -> RunCurves | None:
        """None where the model has no such curve."""
        found = [(run, result.curves[name]) for run, result in self.results[label] if name in result.curves]
        if not found:
            return None
        first = found[0][1]
        places = pd.concat(
            pd.DataFrame(_rows(run, curve.y_NX[:, place]), columns=["run", "clip", "group", "value"]).assign(x=place)
            for run, curve in found
            for place in range(len(first.x_X))
        )
        ratio, least = self.test_to_train(label), self.measure.least(name)
        return RunCurves(
            x_X=first.x_X,
            y_RX=places.groupby(["run", "x"])["value"].mean().unstack("x").to_numpy(),
            estimate_X=tuple(estimate(rows, ratio, least) for _, rows in places.groupby("x")),
            x_label=first.x_label,
            y_label=first.y_label,
        )

    def matrix(self, label: str, name: str) -> Matrix | None:
        """The mean over runs, or None."""
        found = [result.matrices[name] for _, result in self.results[label] if name in result.matrices]
        return Matrix.mean_of(found) if found else None

    def test_to_train(self, label: str) -> float | None:
        ratios = [run.trained_run.test_to_train for run, _ in self.results[label]]
        return float(np.mean(ratios)) if ratios and None not in ratios else None


def _rows(run: RunOnClips, value_N: np.ndarray) -> list[tuple[str, str, str, float]]:
    """With the clips' names, or with numbers where a measure has rendered clips of its own."""
    own = len(value_N) != len(run.clip_names)
    names = tuple(f"rendered {n}" for n in range(len(value_N))) if own else run.clip_names
    groups = names if own else run.clip_groups
    return [(run.name, name, group, value) for name, group, value in zip(names, groups, value_N, strict=True)]


def read_comparisons(plan: AnalysisPlan) -> dict[str, Comparison]:
    """By name of the measure, of those with a result for any model."""
    comparisons = {}
    for group in plan.groups:
        for name, measure in group.measures.items():
            results: dict[str, list[tuple[RunOnClips, MeasureResult]]] = {}
            for run in plan.runs_for(group):
                result = read_result(plan.path(run, "measures", name), run.cache_key(name))
                if result is not None:
                    results.setdefault(run.label, []).append((run, result))
            if results:
                comparisons[name] = Comparison(measure, results)
    return comparisons
