"""Realised CASA figures by class of motion, beside what the literature says, and what 16 fps makes of a beat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hybrid.data.casa import seen_frequency
from hybrid.simulator.motion import CLASSES, MOTILE


@dataclass(frozen=True)
class Published:
    """A range for a class. `checked`: what of it was read, in the source or where it is quoted; '': from memory.
    `why`: what takes our median out of it, where it is out."""

    kind: str
    figure: str
    low: float
    high: float
    source: str
    checked: str = ""
    why: str = ""


WHO = "WHO laboratory manual, classes of 1999"
EQC = "quoted by eqconline.org, How to grade motility"
IVF = "Effect of sperm motility on human in vitro fertilization (swim-up, means of ratings 1 to 3)"
HST = "Green and Fishel, Hum Reprod 14 (1999) 123, tracker at 25 Hz"
MORTIMER = "Mortimer, Hum Reprod Update 3 (1997) 403, at 60 Hz"
USUAL = "usual CASA values of progressive sperm, no single source"
CROSSINGS = (
    "two crossings a beat of 11 to 19 Hz; at 30 samples a second the same cells have 19, at 16 fps 8 (measured once); "
    "the rest is that ours cross at every beat"
)
PUBLISHED = (
    Published("rapid", "vap", 25, np.inf, WHO, EQC),
    Published("rapid", "alh", 1.96, 4.91, IVF, "abstract"),
    Published("rapid", "vcl", 41, 78, IVF, "abstract; it does not say which velocity, nor the rate",
              "grows with the rate of sampling; at 30 a second the same cells have 66 (measured once)"),
    Published("rapid", "vcl", 60, 130, USUAL),
    Published("rapid", "vsl", 30, 70, USUAL),
    Published("rapid", "lin", 0.45, 0.75, USUAL),
    Published("rapid", "str", 0.75, 0.95, USUAL, why="a second of steady swim of a straight tail has STR .96"),
    Published("rapid", "alh", 2, 4, USUAL),
    Published("rapid", "bcf", 8, 15, USUAL, why=CROSSINGS),
    Published("slow", "vsl", 5, 25, WHO, EQC + "; the lower limit from memory"),
    Published("slow", "vap", 5, 25, WHO, EQC + "; the lower limit from memory",
              "beats of 3 to 7 Hz outlast the average of 1/6 s, which follows the wobble"),
    Published("hyperactivated", "alh", 7, np.inf, HST, "abstract"),
    Published("hyperactivated", "lin", 0, 0.30, HST, "abstract"),
    Published("hyperactivated", "vcl", 70, np.inf, HST, "abstract"),
    Published("hyperactivated", "vsl", 0, 30, HST, "abstract",
              "no event and no turning in the steady swim; in the clips the median is lower"),
    Published("hyperactivated", "vcl", 150, np.inf, MORTIMER),
    Published("hyperactivated", "lin", 0, 0.50, MORTIMER),
    Published("non-progressive", "vsl", 0, 5, WHO, EQC + ": absence of progression; the number from memory",
              "the part of the wave that runs backward, .36 to .48, leaves a slow drift"),
    Published("immotile", "vsl", 0, 1, WHO, EQC + ": no movement; 1 um/s is what Brownian motion makes"),
    Published("dead", "vsl", 0, 1, WHO, EQC + ": no movement; 1 um/s is what Brownian motion makes"),
)  # fmt: skip


def published_table(truth: pd.DataFrame) -> pd.DataFrame:
    """Each published range, the realised median, and the share of clips within it: of the steady swim for what swims,
    which is what instruments select, and of the clip itself for what does not."""
    rows = []
    for p in PUBLISHED:
        column = f"{p.figure}_steady" if p.kind in MOTILE else p.figure
        values = truth.loc[truth["motion"] == p.kind, column].dropna()
        if values.empty:
            continue
        within = p.low <= values.median() <= p.high
        rows.append({
            "class": p.kind, "figure": p.figure.upper(),
            "published": f"{p.low:g}-{p.high:g}" if np.isfinite(p.high) else f">= {p.low:g}",
            "median": f"{values.median():.2f}", "median within": "yes" if within else "no",
            "clips within": f"{100 * values.between(p.low, p.high).mean():.0f} %",
            "source": p.source, "checked": p.checked or "no, from memory", "why outside": "" if within else p.why,
        })  # fmt: skip
    return pd.DataFrame(rows)


def plot_beats(truth: pd.DataFrame, frame_rate: float, path: Path) -> None:
    """Beat frequency true against as it seems at the clips' frame rate, and the crossings CASA counts, to a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
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
             title="below zero the wave seems to run to the head")  # fmt: skip
    left.legend(fontsize=7)
    right.axline((0, 0), slope=2, color="0.7", lw=1)
    right.set(xlabel="true beat frequency (Hz)", ylabel=f"BCF counted at {frame_rate:g} fps (Hz)",
              title="CASA's crossings against the beat (line: 2 a beat)",
              xlim=(0, None), ylim=(0, None))  # fmt: skip
    figure.savefig(path)
    plt.close(figure)
