"""Figures of a simulated data set as it came out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hybrid.simulator.presets import COMPONENTS, PRESETS

GRADES = list("ABCDE")


def realised_shares(truth: pd.DataFrame, preset: str) -> dict[str, float]:
    """Share of each component in the variance of quality over these clips; they add up to 1."""
    q = truth["quality"].to_numpy()
    return {
        name: float(np.sqrt(share) * np.cov(truth[f"quality_{name}"], q)[0, 1] / np.var(q, ddof=1))
        for name, share in zip(COMPONENTS, PRESETS[preset].shares, strict=True)
    }


def scale(labels: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """MSE against the vote fractions, mean over grades: of the mean, and of the panel's expected distribution."""
    votes = labels[GRADES].to_numpy()
    fractions = votes / votes.sum(1, keepdims=True)
    expected = truth[[f"expected_{grade}" for grade in GRADES]].to_numpy()
    return {
        "mean predictor": float(((fractions - fractions.mean(0)) ** 2).mean()),
        "oracle": float(((fractions - expected) ** 2).mean()),
    }
