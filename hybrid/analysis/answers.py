"""The answers of a study read back: by measure, over models, runs and clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hybrid.analysis.estimates import Estimate, difference, estimate
from hybrid.analysis.measure import Finding, Matrix, Measure
from hybrid.analysis.results import read_finding
from hybrid.analysis.study import Asked, Study


@dataclass(frozen=True, eq=False)
class Curves:
    """One curve of one model: y_RX a run, over x_X, the mean over its clips; estimate_X: their mean."""

    x_X: np.ndarray
    y_RX: np.ndarray
    estimate_X: tuple[Estimate, ...]
    x_label: str
    y_label: str

    @property
    def mean_X(self) -> np.ndarray:
        return np.array([estimate.mean for estimate in self.estimate_X])


@dataclass(frozen=True, eq=False)
class Answers:
    """What all models say to one measure. findings: by label, the runs in order."""

    measure: Measure
    findings: dict[str, list[tuple[Asked, Finding]]]

    @property
    def labels(self) -> list[str]:
        return list(self.findings)

    def names(self, kind: str) -> list[str]:
        """Of all 'figures', 'curves' or 'matrices' of any model; numbers of all clips together count as figures."""
        kinds = ("figures", "overall") if kind == "figures" else (kind,)
        found = [finding for runs in self.findings.values() for _, finding in runs]
        return list(dict.fromkeys(name for one in kinds for finding in found for name in getattr(finding, one)))

    def values(self, label: str, figure: str) -> pd.DataFrame:
        """A row a run and clip: run, clip, group, value; of a figure of all clips together, a row a run."""
        rows = []
        for asked, finding in self.findings[label]:
            if figure in finding.figures:
                rows += _rows(asked, finding.figures[figure])
            elif figure in finding.overall:
                rows.append((asked.source.run, "all", "all", finding.overall[figure]))
        return pd.DataFrame(rows, columns=["run", "clip", "group", "value"]).astype({"value": float})

    def estimate(self, label: str, figure: str) -> Estimate:
        return estimate(self.values(label, figure), self.test_to_train(label))

    def difference(self, first: str, second: str, figure: str) -> Estimate:
        """First minus second."""
        return difference(self.values(first, figure), self.values(second, figure), self.test_to_train(first))

    def curves(self, label: str, name: str) -> Curves | None:
        """None where the model has no such curve."""
        found = [(asked, finding.curves[name]) for asked, finding in self.findings[label] if name in finding.curves]
        if not found:
            return None
        first = found[0][1]
        places = pd.concat(
            pd.DataFrame(_rows(asked, curve.y_NX[:, place]), columns=["run", "clip", "group", "value"]).assign(x=place)
            for asked, curve in found
            for place in range(len(first.x_X))
        )
        ratio = self.test_to_train(label)
        return Curves(
            x_X=first.x_X,
            y_RX=places.groupby(["run", "x"])["value"].mean().unstack("x").to_numpy(),
            estimate_X=tuple(estimate(rows, ratio) for _, rows in places.groupby("x")),
            x_label=first.x_label,
            y_label=first.y_label,
        )

    def matrix(self, label: str, name: str) -> Matrix | None:
        """The mean over runs, or None."""
        found = [finding.matrices[name] for _, finding in self.findings[label] if name in finding.matrices]
        if not found:
            return None
        return Matrix(np.mean([matrix.value_RC for matrix in found], axis=0), found[0].rows, found[0].columns)

    def test_to_train(self, label: str) -> float | None:
        ratios = [asked.source.test_to_train for asked, _ in self.findings[label]]
        return float(np.mean(ratios)) if ratios and None not in ratios else None


def _rows(asked: Asked, value_N: np.ndarray) -> list[tuple[str, str, str, float]]:
    """With the clips' names, or with numbers where a measure has rendered clips of its own."""
    own = len(value_N) != len(asked.names)
    names = tuple(f"rendered {n}" for n in range(len(value_N))) if own else asked.names
    groups = names if own else asked.groups
    return [(asked.source.run, name, group, value) for name, group, value in zip(names, groups, value_N, strict=True)]


def gather(study: Study) -> dict[str, Answers]:
    """The answers to every measure that any model has given one to, by its name."""
    gathered = {}
    for group in study.groups:
        for name, measure in group.measures.items():
            findings: dict[str, list[tuple[Asked, Finding]]] = {}
            for asked in study.asked_by(group):
                finding = read_finding(study.path(asked, "measures", name), asked.question(name))
                if finding is not None:
                    findings.setdefault(asked.source.label, []).append((asked, finding))
            if findings:
                gathered[name] = Answers(measure, findings)
    return gathered
