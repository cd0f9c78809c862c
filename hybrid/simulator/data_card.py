"""The data card: what a simulated data set is, how it came about, what it is not, and its realised statistics."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from hybrid.data.casa import FIGURES
from hybrid.data.paths import LABELS
from hybrid.data.simulated import read_truth
from hybrid.simulator.motion import CLASSES
from hybrid.simulator.panel import GRADES
from hybrid.simulator.presets import COMPONENTS, PRESETS, get_preset

NO_EVIDENCE = (
    "Everything here is simulated. A result on simulated clips, of any model, is no evidence about real sperm, real "
    "embryologists or any clinical question."
)

ABOUT = """
## How
- **Swimming**: a length-preserving travelling wave of the tail; speed, head yaw and path follow from it by
  resistive-force theory (Gray and Hancock 1955; drag ratio 1.81, Friedrich et al. 2010). Classes of motion are regions
  of beat frequency, amplitude, wavelength, mean bend, standing part and rolling, not templates.
- **Form**: head class, acrosome, vacuoles, chromatin, midpiece, droplet, neck, tail, after the WHO manual's sizes.
- **Picture**: one phase map, filtered by the microscope's transfer function; exposure by sub-frames; specks, other
  sperm and uneven light that stand in the world; shot noise; the camera's
  own MPEG-4, coarser or finer.
- **Grades**: 40 raters with severity, gain, noise, thresholds, lapses and a taste for form against motion.
- **Donors** (`group`): forty, with their own tendency in form and motility, and their own microscope's settings.

## Limits
- The tail beats in a plane that rolling turns: what leaves the picture's plane is flattened and out of focus, but swims
  no differently. No walls, no neighbours' flow.
- Cells are weak phase objects: no scattering, no absorption by colour, little halo at high phase.
- No interlacing, no illumination flicker.
- What counts as good, and how much form, motion and events weigh, is set by us, not found in a clinic.
- A tracked picture shows speed only by its surroundings and its beat; at 16 fps beats above 8 Hz alias.

## Files
`clips/`, `labels.csv` (votes), `ratings.csv` (every vote): what a real data set has. `truth.csv` (a row a clip: quality
and its parts, the panel's expected distribution, beat, form, event, CASA figures at 64 Hz and, `_seen`, at the clips'
rate), `paths.csv` (the head's centre a frame), `masks/*.npz` (`masks`, frames x height x width: 1 head, 2 midpiece,
3 tail). `contact_sheet.png` and `preview.gif` to look at.
"""


def write_card(root: Path, request) -> None:
    """README.md in the data set's folder, from what is in it."""
    truth, labels = read_truth(root), pd.read_csv(root / LABELS)
    preset = get_preset(request.preset)
    errors = scale(labels, truth)
    shares = realised_shares(truth, request.preset) if len(truth) > 1 else {}
    votes = labels[list(GRADES)].mean() / labels[list(GRADES)].sum(axis=1).mean()
    lines = [
        f"# Simulated sperm clips: {request.preset}, {request.num_clips} clips, seed {request.seed}\n",
        f"**{NO_EVIDENCE}**\n",
        f"Preset `{preset.name}`: {preset.about}.",
        ABOUT,
        "## Realised statistics\n",
        "| part of quality | share set | share realised |\n|---|---|---|",
        *(f"| {name} | {set_share:.3f} | {shares.get(name, float('nan')):.3f} |"
          for name, set_share in zip(COMPONENTS, preset.shares, strict=True)),
        "",
        f"- votes: {', '.join(f'{grade} {share:.1%}' for grade, share in votes.items())}",
        f"- MSE of predicting the mean for every clip: {100 * errors['mean predictor']:.2f} x 10^-2",
        f"- MSE of the best prediction, the panel's expected distribution: {100 * errors['oracle']:.2f} x 10^-2",
        f"- donors: {truth['donor'].nunique()}; clips a donor: {np.median(truth['donor'].value_counts()):.0f} (median)",
        f"- heads: {_counts(truth['head'])}",
        f"- tails: {_counts(truth['tail'])}",
        f"- events: {_counts(truth['event'])}",
        "\nCASA figures by class, median (5-95 %), sampled at 64 Hz:\n",
        markdown(casa_table(truth)),
        f"\nThe same cells at {request.settings.frame_rate:g} fps:\n",
        markdown(casa_table(truth, "_seen")),
        "\n## Settings\n",
        *(f"- {name}: {value}" for name, value in asdict(request.settings).items()),
        "",
    ]  # fmt: skip
    (root / "README.md").write_text("\n".join(lines))


def realised_shares(truth: pd.DataFrame, preset: str) -> dict[str, float]:
    """Share of each component in the variance of quality over these clips; they add up to 1."""
    q = truth["quality"].to_numpy()
    return {
        name: float(np.sqrt(share) * np.cov(truth[f"quality_{name}"], q)[0, 1] / np.var(q, ddof=1))
        for name, share in zip(COMPONENTS, PRESETS[preset].shares, strict=True)
    }


def scale(labels: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """MSE against the vote fractions, mean over grades: of the mean, and of the panel's expected distribution."""
    votes = labels[list(GRADES)].to_numpy()
    fractions = votes / votes.sum(1, keepdims=True)
    expected = truth[[f"expected_{grade}" for grade in GRADES]].to_numpy()
    return {
        "mean predictor": float(((fractions - fractions.mean(0)) ** 2).mean()),
        "oracle": float(((fractions - expected) ** 2).mean()),
    }


def casa_table(truth: pd.DataFrame, suffix: str = "") -> pd.DataFrame:
    """Median and 5-95 % of each figure by class; `suffix`: of truth.csv's columns, see truth.py."""
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


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown."""
    rows = [table.columns, ["---"] * len(table.columns), *table.to_numpy()]
    return "\n".join("| " + " | ".join(str(v) for v in row) + " |" for row in rows)


def _counts(values: pd.Series) -> str:
    return ", ".join(f"{name} {number}" for name, number in values.value_counts().items())
