"""A field video to the folder of its graded cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hybrid.data.clip import ClipError
from hybrid.errors import UserError
from hybrid.field.box_files import box_files
from hybrid.field.cells import find_cells
from hybrid.field.settings import Settings
from hybrid.files import digest_of, read_yaml, software_commit, whole_folder, write_yaml
from hybrid.grading.drawing import draw_video
from hybrid.grading.grades import NO_DECISION, graded_windows, grades_table
from hybrid.grading.page import write_film, write_page
from hybrid.training.doubts import doubts
from hybrid.training.ensemble import Ensemble


def grade_field(
    path: Path, boxes: Path | None, folder: Path, settings: Settings, ensemble: Ensemble
) -> tuple[list[str], list[str]]:
    """Write the folder; it is whole or not there. Returns what to print, and what is odd, a sentence each.

    boxes: a file or folder; None: heads are detected. Where the folder holds just this already, it is left as it is.
    """
    asked = _asked(path, boxes, settings, ensemble)
    if _is_done(folder, asked):
        return [f"{folder}: is done already; look at {folder / 'index.html'}"], []
    with whole_folder(folder) as making:
        (making / "films").mkdir()
        cells = find_cells(path, boxes, ensemble.spec, settings)
        if not cells.all_windows:
            raise UserError(f"no track can be graded, so nothing is written\n{cells.read}; {cells.counts}")
        dist_MK_of: dict[int, list[np.ndarray]] = {}
        odd: Counter[str] = Counter()
        for graded in graded_windows(cells, ensemble):
            track = graded.window.track
            if track not in dist_MK_of:
                write_film(making, track, graded.frames_THWC, ensemble)
            dist_MK_of.setdefault(track, []).append(graded.distribution_MK)
            odd.update(graded.odd)
        table = grades_table(cells, ensemble, dist_MK_of)
        table.to_csv(making / "grades.csv", index=False, float_format="%.6g")
        draw_video(making / "graded.mp4", cells, table, ensemble.grades)
        said = f"{cells.read}; {len(cells.all_windows)} windows of {cells.counts}"
        notes = [f"{path.name}: {note}" for note in cells.notes] + doubts(ensemble.checkpoints)
        notes += _about(ensemble, path, settings.side)
        notes += [f"{count} of {len(cells.all_windows)} windows: {note}" for note, count in odd.items()]
        made = asked | {"read": said, "checkpoints": ensemble.described, "commit": software_commit()}
        write_page(making, cells, table, ensemble, notes, [(name, str(value)) for name, value in made.items()])
        write_yaml(making / "grade.yaml", made | {"notes": notes, "note": NO_DECISION})
    best = table.iloc[0]
    return [
        said,
        f"best: track {best['track']}, {best['top_grade']}, expected {best['expected_grade']:.2f}",
        f"{folder}: {len(dist_MK_of)} sperm graded; look at {folder / 'index.html'}",
        NO_DECISION,
    ], notes


def _asked(path: Path, boxes: Path | None, settings: Settings, ensemble: Ensemble) -> dict[str, Any]:
    """What decides on the answers, files by their contents."""
    if not path.is_file():
        raise ClipError(path, "is a folder, not a video" if path.is_dir() else "there is no such file")
    return {
        "video": f"{path.name} ({digest_of([path])})",
        "boxes": None if boxes is None else f"{boxes.name} ({digest_of(box_files(boxes, path.stem))})",
        "models": f"{ensemble.models[0].name}, {len(ensemble.models)} ({digest_of(ensemble.checkpoints)})",
        **{name: value for name, value in asdict(settings).items() if name not in ("most", "donors")},
        "classes": list(settings.classes),
    }


def _is_done(folder: Path, asked: dict[str, Any]) -> bool:
    """Whether the folder holds what is asked for; a UserError where it holds other grades."""
    if not (folder / "grade.yaml").is_file():
        return False
    there = read_yaml(folder / "grade.yaml")
    other = [name for name, value in asked.items() if there.get(name) != value]
    if other:
        differing = [f"{name}: {there.get(name)} there, {asked[name]} asked for" for name in other]
        raise UserError("\n  ".join([f"{folder}: holds other grades, so name another folder", *differing]))
    return True


def _about(ensemble: Ensemble, video: Path, side: int) -> list[str]:
    """What the models learned from that makes their answers mean less to this video."""
    notes, known = [], [trained.trained_on.sides for trained in ensemble.models if trained.trained_on]
    if ensemble.learned_from([video]):
        notes.append(
            "clips of this very video are among those that a model here was trained on, so that its grades are nearer "
            "to the votes than on a new video"
        )
    if all(known) and not any(smallest <= side <= largest for smallest, largest in known):
        smallest, largest = min(low for low, _ in known), max(high for _, high in known)
        sides = f"{smallest}" if smallest == largest else f"{smallest} to {largest}"
        notes.append(
            f"the model learned from clips of {sides} px, and these windows are of {side} px: where a "
            "cell is not as large in both, give --side"
        )
    return notes
