"""What the simulator knows of an experiment's clips."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hybrid.report.evidence import Evidence


def truth_of(evidence: Evidence) -> pd.DataFrame | None:
    """truth.csv, a row a clip, by name; None where the clips are not simulated or gone."""
    if not evidence.simulated or evidence.dataset is None:
        return None
    path = Path(evidence.dataset.root) / "truth.csv"
    if not path.exists():
        return None
    return pd.read_csv(path, dtype={"clip": str}, keep_default_na=False).set_index("clip")


def lag_of(truth: pd.DataFrame) -> pd.Series | None:
    """Frames between the two moments of each clip's event; None of a set that is not made of such events alone."""
    if not (truth["event"] == "relation").all():
        return None
    return (truth["event_second"] - truth["event_first"]).round().astype(int)
