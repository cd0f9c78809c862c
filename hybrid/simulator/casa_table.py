"""Realised CASA figures by class of motion, beside what the literature says, and what 16 fps makes of a beat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hybrid.simulator.casa import FIGURES, seen_frequency
from hybrid.simulator.motion import CLASSES


@dataclass(frozen=True)
class Published:
    """A range for a class; `checked`: read in the source or its abstract, otherwise as commonly quoted."""

    kind: str
    figure: str
    low: float
    high: float
    source: str
    checked: bool


WHO = "WHO laboratory manual: rapid >= 25 um/s, slow 5-25 um/s (read in secondary sources)"
USUAL = "usual CASA values of progressive sperm; no single source"
PUBLISHED = (
    Published("rapid", "vap", 25, np.inf, WHO, True),
    Published("rapid", "vcl", 60, 130, USUAL, False),
    Published("rapid", "vsl", 30, 70, USUAL, False),
    Published("rapid", "lin", 0.45, 0.75, USUAL, False),
    Published("rapid", "str", 0.75, 0.95, USUAL, False),
    Published("rapid", "alh", 2, 4, USUAL, False),
    Published("rapid", "bcf", 8, 15, USUAL, False),
    Published("rapid", "vsl", 25, np.inf, WHO, True),
    Published("slow", "vap", 5, 25, WHO, True),
    Published("slow", "vsl", 5, 25, WHO, True),
    Published("hyperactivated", "vcl", 150, np.inf, "Mortimer, Hum Reprod Update 3 (1997) 403, at 60 Hz", False),
    Published("hyperactivated", "lin", 0, 0.5, "Mortimer, Hum Reprod Update 3 (1997) 403, at 60 Hz", False),
    Published(
        "hyperactivated", "alh", 7, np.inf, "Green and Fishel, Hum Reprod 14 (1999) 123; also Mortimer 1997", True
    ),
    Published("non-progressive", "vsl", 0, 5, "WHO laboratory manual: no progression", False),
    Published("immotile", "vsl", 0, 1, "WHO laboratory manual: no movement", False),
    Published("dead", "vsl", 0, 1, "WHO laboratory manual: no movement", False),
)


def casa_table(truth: pd.DataFrame, suffix: str = "") -> pd.DataFrame:
    """Median and 5-95 % of each figure by class; `suffix` '_seen': at the clips' frame rate instead of 64 Hz."""
    rows = []
    for kind in CLASSES:
        clips = truth[truth["motion"] == kind]
        if clips.empty:
            continue
        row = {"class": kind, "clips": len(clips)}
        for name in FIGURES:
            low, middle, high = np.nanpercentile(clips[f"{name}{suffix}"], [5, 50, 95])
            digits = 2 if name in ("lin", "str", "wob") else 1 if name in ("alh", "bcf") else 0
            row[name.upper()] = f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
        rows.append(row)
    return pd.DataFrame(rows)


def published_table(truth: pd.DataFrame) -> pd.DataFrame:
    """Each published range, the realised median, and the share of clips within it."""
    rows = []
    for p in PUBLISHED:
        values = truth.loc[truth["motion"] == p.kind, p.figure].dropna()
        if values.empty:
            continue
        bounds = f"{p.low:g}-{p.high:g}" if np.isfinite(p.high) else f">= {p.low:g}"
        rows.append({
            "class": p.kind, "figure": p.figure.upper(), "published": bounds, "median": f"{values.median():.2f}",
            "median within": "yes" if p.low <= values.median() <= p.high else "no",
            "clips within": f"{100 * values.between(p.low, p.high).mean():.0f} %",
            "source": p.source + ("" if p.checked else " (not checked)"),
        })  # fmt: skip
    return pd.DataFrame(rows)


def plot_beats(truth: pd.DataFrame, frame_rate: float, path: Path) -> None:
    """Beat frequency true against as it seems at the clips' frame rate, and the crossings CASA counts, to a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    line = np.linspace(0, max(24.0, truth["beat_hz"].max()), 2000)
    seen = seen_frequency(line, frame_rate)
    seen[1:][np.abs(np.diff(seen)) > frame_rate / 2] = np.nan
    left.plot(line, seen, color="0.7", zorder=0)
    for kind in CLASSES[:5]:
        clips = truth[truth["motion"] == kind]
        left.scatter(clips["beat_hz"], clips["beat_hz_seen"], s=8, label=kind)
        right.scatter(clips["beat_hz"], clips["bcf_seen"], s=8)
    left.axhline(0, color="0.8", lw=0.5)
    left.set(xlabel="true beat frequency (Hz)", ylabel=f"as seen at {frame_rate:g} fps (Hz)",
             title="below zero the wave seems to run tip to head")  # fmt: skip
    left.legend(fontsize=7)
    right.axline((0, 0), slope=2, color="0.7", lw=1)
    right.set(xlabel="true beat frequency (Hz)", ylabel=f"BCF counted at {frame_rate:g} fps (Hz)",
              title="CASA's crossings do not follow the beat (line: 2 a beat)",
              xlim=(0, None), ylim=(0, None))  # fmt: skip
    figure.savefig(path)
    plt.close(figure)
