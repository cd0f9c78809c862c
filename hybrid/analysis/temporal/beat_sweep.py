"""Measure 5, second part: the answer for one cell, filmed with its tail beating slower and faster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from einops import rearrange

from baselines import ClipModel
from hybrid.analysis.measure import Curve, Finding, Measure
from hybrid.analysis.subject import Clips, Subject
from hybrid.analysis.temporal.answers import expected_grades
from hybrid.analysis.temporal.simulated import Take, as_input, cells_at

STEPS = 8
"""frequencies from one step up to the frame rate, beside 0"""


@dataclass(frozen=True)
class BeatSweep(Measure):
    """The expected grade y of simulated cells over the frequency f of their beat, all else the same.

    f: 0 to the frame rate in eighths of it. range: max - min of y up to half the frame rate, where nothing folds. fold:
    mean of |y(f) - y(frame rate - f)|, two beats that look alike but for the direction of the wave (10 Hz filmed at
    16 frames a second runs as 6 Hz from tip to head) and the cell's speed: how far a model tells them apart.
    All cells are straight swimmers. With the beat goes their speed, as in nature, so this is a response to motion and
    not to a frequency alone. In the first frame the posture is the same at every f and the place in the picture nearly
    so: image models answer almost alike, and what they differ by is the measure's floor.
    A row of the figures is a cell, not a clip of the analysis.
    """

    name = "beat_sweep"
    title = "Beat frequency, rendered anew"
    source = "this project, with the simulator"
    unit = "grades"

    num_cells: int = 8

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return 0

    def passes_once(self, model: ClipModel, num_frames: int) -> float:
        return self.num_cells * (STEPS + 1)

    def measure(self, subject: Subject, clips: Clips, batch_size: int = 16) -> Finding:
        hertz_F = np.arange(STEPS + 1) * clips.frame_rate / STEPS
        frames = cells_at(tuple(hertz_F.tolist()), self.num_cells, Take.like(clips))
        versions = as_input(subject, rearrange(frames, "cell f ... -> (cell f) ..."))
        grade_CF = expected_grades(subject, versions, batch_size).reshape(self.num_cells, len(hertz_F))
        return Finding(
            figures={
                "range (grades)": np.ptp(grade_CF[:, : STEPS // 2 + 1], axis=1),
                "fold (grades)": np.abs(grade_CF - grade_CF[:, ::-1])[:, : STEPS // 2].mean(axis=1),
            },
            curves={"beat": Curve(hertz_F, grade_CF, "beat frequency (Hz)", "expected grade")},
        )
