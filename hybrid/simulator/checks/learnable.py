"""Gate (f): what makes a clip good can be learned from as many clips as a fold has, once it is seen.

A standard learner, the better of ridge regression and boosted trees, is told the truth that a perfect eye would read:
the measures of the cell's form, and where the head is, where it looks and how the tail beats in each frame. It learns
each part of quality from 492 clips and is asked about 123 of other donors, five times round. The interaction is the
product of what it says of form and of motion.
"""

from __future__ import annotations

import numpy as np

from hybrid.simulator.checks.gates import Gate, out_of_fold
from hybrid.simulator.clip import Cell, draw_cell, generator, make_panel
from hybrid.simulator.events import KINDS
from hybrid.simulator.form import Form
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings
from hybrid.simulator.swim import swim

NUM_CLIPS = 615
"""of which five folds train on 492"""
ENOUGH = (0.8, 1.0)


def learnable_gates(preset_name: str, seed: int, settings: Settings) -> list[Gate]:
    """Out-of-fold correlation with each part of quality; for information, with the event of each kind."""
    preset = get_preset(preset_name)
    settings, panel = preset.look.camera(settings), make_panel(seed, preset)
    cells = [draw_cell(seed, index, settings, preset, panel) for index in range(NUM_CLIPS)]
    features = np.stack([np.concatenate([measures(cell.form), series(cell, settings)]) for cell in cells])
    donors = np.array([cell.donor for cell in cells])
    parts = {name: np.array([getattr(cell.quality, name) for cell in cells]) for name in ("form", "motion", "event")}
    told = {name: out_of_fold(features, part, donors) for name, part in parts.items()}
    parts["interaction"], told["interaction"] = parts["form"] * parts["motion"], told["form"] * told["motion"]
    gates = [
        Gate(
            "f", f"correlation with {name}, learned from the truth of 492 clips", _correlation(told[name], part), ENOUGH
        )
        for name, part in parts.items()
    ]
    for kind in KINDS:
        here = np.array([cell.event.kind == kind for cell in cells])
        figure = _correlation(told["event"][here], parts["event"][here])
        gates.append(Gate("f", f"the same with the event, {kind} alone", figure, None))
    return gates


def measures(form: Form) -> np.ndarray:
    """What one could measure on a head and a tail; not the scores that they were drawn by."""
    area = sum(radius**2 for *_, radius in form.vacuoles)
    return np.array([
        form.length, form.width, form.taper, form.acrosome, form.acrosome_contrast, len(form.vacuoles), area,
        form.grain, form.droplet, abs(form.neck_angle), form.tail_scale, abs(form.coil), form.midpiece_width,
        *np.abs(form.bumps),
    ])  # fmt: skip


def series(cell: Cell, settings: Settings) -> np.ndarray:
    """Of every frame, seen from the first one: heading as cosine and sine, the step to the next frame, the log of its
    speed, and the tail's amplitude and mean bend."""
    path = swim(
        cell.beat,
        cell.form.length,
        cell.form.width,
        -settings.exposure,
        settings.duration,
        0.0,
        cell.event,
        generator(cell.seed, "scene", cell.index),
    )
    time = np.arange(settings.num_frames + 1) / settings.frame_rate
    place, heading, _ = path.at(time)
    turned = heading[:-1] - heading[0]
    c, s = np.cos(heading[0]), np.sin(heading[0])
    step = np.diff(place, axis=0) @ np.array([[c, -s], [s, c]])
    speed = np.log1p(np.linalg.norm(step, axis=1) * settings.frame_rate)
    beat = [np.interp(time[:-1], path.time_T, values) for values in (path.amplitude_T, path.bend_T)]
    return np.concatenate([np.cos(turned), np.sin(turned), step.ravel(), speed, *beat])


def _correlation(told, part) -> float:
    return float(np.corrcoef(told, part)[0, 1])
