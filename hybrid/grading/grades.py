"""What trained models say of each cell of a field video: one table, a row a track."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from hybrid.data.casa import FIGURES
from hybrid.data.oddities import oddities
from hybrid.data.video import clip_of_frames
from hybrid.field.cells import Cells
from hybrid.field.cutting import cut
from hybrid.field.windows import Window
from hybrid.training.ensemble import Ensemble

NO_DECISION = "research software, no medical device: no basis for a clinical decision"
"""on everything that is written"""

AT_ONCE = 16
"""windows in memory as the models see them"""


@dataclass(frozen=True, eq=False)
class GradedWindow:
    """frames_THWC: as cut out. distribution_MK: of each of the M models. odd: about them, in words."""

    window: Window
    frames_THWC: np.ndarray
    distribution_MK: np.ndarray
    odd: tuple[str, ...]


def graded_windows(cells: Cells, ensemble: Ensemble) -> Iterator[GradedWindow]:
    """In one go through the video. What the models see of a window is what `Grader` makes of its frames."""
    spec, sides = ensemble.spec, ensemble.sides
    passing = cut(cells.pictures("grading"), cells.all_windows, cells.camera)
    while some := list(islice(passing, AT_ONCE)):
        clips = [clip_of_frames(frames_THWC, spec.frame_rate, spec) for _, frames_THWC in some]
        names = [f"track {window.track}, window {window.number}" for window, _ in some]
        dist_MNK = ensemble.distributions(np.stack([clip.frames_THWC for clip in clips]), names)
        for n, ((window, frames_THWC), clip) in enumerate(zip(some, clips, strict=True)):
            odd = oddities(clip.facts, spec, sides).notes
            yield GradedWindow(window, frames_THWC, dist_MNK[:, n], odd)


def grades_table(cells: Cells, ensemble: Ensemble, dist_MK_of: dict[int, list[np.ndarray]]) -> pd.DataFrame:
    """A row a track, the best first; those without a window last, with the reason and no grades.

    dist_MK_of: what the models say of each window, by track. Columns: video, track, id; first_s, last_s, where it is in
    the video; windows, seconds: how much of it was graded; left_out: why nothing; one of each grade with its
    probability, mean over windows and models; top_grade; expected_grade, from 1 for the best; windows_sd, folds_sd: the
    standard deviation of that from window to window and from model to model (empty for one); CASA figures; note.
    """
    rows = []
    for track in cells.tracks:
        row, found = cells.row(track), dist_MK_of.get(track.number, [])
        rows.append(
            {name: row[name] for name in ("video", "track", "id", "first_s", "last_s")}
            | {"windows": len(found), "seconds": len(found) * cells.camera.clip.seconds}
            | {"left_out": cells.left_out.get(track.number, "")}
            | _grade(found, ensemble.grades)
            | {name: row[name] for name in ("unit", "frame_rate", *FIGURES)}
            | {"note": NO_DECISION}
        )
    table = pd.DataFrame(rows)
    return table.sort_values("expected_grade", kind="stable", na_position="last", ignore_index=True)


def _grade(dist_MK_of_windows: list[np.ndarray], grades: tuple[str, ...]) -> dict[str, Any]:
    """Of one track; empty where it has no window."""
    names = (*grades, "top_grade", "expected_grade", "windows_sd", "folds_sd")
    if not dist_MK_of_windows:
        return dict.fromkeys(names)
    dist_MWK = np.stack(dist_MK_of_windows, axis=1)
    mean_K = dist_MWK.mean((0, 1))
    expected_MW = dist_MWK @ np.arange(1, len(grades) + 1)
    spreads = [values.std(ddof=1) if len(values) > 1 else None for values in (expected_MW.mean(0), expected_MW.mean(1))]
    return dict(zip(names, (*mean_K, grades[mean_K.argmax()], expected_MW.mean(), *spreads), strict=True))
