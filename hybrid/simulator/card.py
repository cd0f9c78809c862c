"""The data card: what a simulated data set is, how it came about, what it is not, and its realised statistics."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from hybrid.simulator.casa_table import casa_table
from hybrid.simulator.presets import COMPONENTS, get_preset
from hybrid.simulator.statistics import GRADES, realised_shares, scale

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
    truth, labels = pd.read_csv(root / "truth.csv"), pd.read_csv(root / "labels.csv")
    preset = get_preset(request.preset)
    errors = scale(labels, truth)
    shares = realised_shares(truth, request.preset) if len(truth) > 1 else {}
    votes = labels[GRADES].mean() / labels[GRADES].sum(axis=1).mean()
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


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown."""
    rows = [table.columns, ["---"] * len(table.columns), *table.to_numpy()]
    return "\n".join("| " + " | ".join(str(v) for v in row) + " |" for row in rows)


def _counts(values: pd.Series) -> str:
    return ", ".join(f"{name} {number}" for name, number in values.value_counts().items())
