"""One clip: the cell, what it does, how it is seen and how it is graded."""

from dataclasses import dataclass, replace

import numpy as np

from hybrid.simulator.body import make_body
from hybrid.simulator.events import Event, draw_relation
from hybrid.simulator.form import PARTS, Form, draw_form
from hybrid.simulator.look import Look
from hybrid.simulator.motion import Beat, draw_beat
from hybrid.simulator.optics import Optics, draw_optics
from hybrid.simulator.panel import GRADES, Panel, draw_panel
from hybrid.simulator.presets import Preset
from hybrid.simulator.quality import Quality, grade
from hybrid.simulator.render import camera_path, render
from hybrid.simulator.scene import TAIL_TILT, draw_scene
from hybrid.simulator.settings import Settings
from hybrid.simulator.swim import Swim, swim

NUM_DONORS = 40
"""clip i is of donor i modulo this, so that small data sets have many donors too"""
PURPOSES = ("form", "motion", "event", "scene", "sensor", "votes", "donor", "panel")
"""of random numbers; their order is part of what a seed means"""


@dataclass(frozen=True)
class Cell:
    """Everything about a clip that is not pixels."""

    seed: int
    index: int
    donor: int
    form: Form
    beat: Beat
    event: Event
    quality: Quality
    optics: Optics
    look: Look
    expected: np.ndarray
    """(K,) the panel's expected distribution"""
    votes: np.ndarray
    """(R,) grades given, 0 is best"""


def draw_cell(
    seed: int,
    index: int,
    settings: Settings,
    preset: Preset,
    panel: Panel | None = None,
    *,
    form_of: int | None = None,
    motion_of: int | None = None,
) -> Cell:
    """Cell `index`; with the form, or the motion and event, of another index where given."""
    donor = index % NUM_DONORS
    look = preset.look
    form = draw_form(generator(seed, "form", _or(form_of, index)), _donor(seed, _or(form_of, index))[0], look.signs)
    motion_of = _or(motion_of, index)
    beat = draw_beat(
        generator(seed, "motion", motion_of),
        form.tail_scale,
        form.neck_angle,
        form.coil,
        _donor(seed, motion_of)[1],
        preset.families,
        preset.kinds,
    )
    rng = generator(seed, "event", motion_of)
    if preset.lags:
        lag = int(rng.choice(preset.lags))
        event = draw_relation(rng, settings.num_frames, settings.frame_rate, lag)
    else:
        event = look.draw_event(rng, settings.duration, beat)
    quality = grade(form, beat, event, preset)
    panel, microscope = panel or make_panel(seed, preset), settings.microscope or look.microscope
    return Cell(
        seed,
        index,
        donor,
        form,
        beat,
        event,
        quality,
        optics=look.optics(draw_optics(_donor(seed, index)[2], microscope, settings.colour)),
        look=look,
        expected=panel.distributions(quality).mean(0),
        votes=panel.vote(quality, generator(seed, "votes", index)),
    )


def make_panel(seed: int, preset: Preset) -> Panel:
    """The data set's panel: the same raters for every clip."""
    form, motion, *_ = preset.shares
    return draw_panel(generator(seed, "panel"), tastes=form > 0 and motion > 0)


def film(cell: Cell, settings: Settings, shown: int | None = None) -> tuple[np.ndarray, np.ndarray, Swim, np.ndarray]:
    """Frames (T, H, W, 3) uint8, masks (T, H, W) uint8, the swim, and the camera's places (T, 2) in um.

    shown: of the clip, make the first so many frames alone (2 or more), as they are in the whole clip.
    """
    rng = generator(cell.seed, "scene", cell.index)
    path = swim(
        cell.beat,
        cell.form.length,
        cell.form.width,
        -settings.exposure,
        settings.duration,
        float(rng.uniform(0, 2 * np.pi)),
        cell.event,
        rng,
    )
    camera = camera_path(path, settings, cell.look.aim * cell.beat.wave.length, rng.uniform(-4, 4, 2))
    scene = draw_scene(rng, settings, camera)
    body = make_body(cell.form, cell.beat.wave.length, settings.um_per_px / 2, rng.normal() * TAIL_TILT)
    settings, camera = replace(settings, num_frames=shown or settings.num_frames), camera[:shown]
    frames, masks = render(body, path, scene, cell.optics, settings, camera, generator(cell.seed, "sensor", cell.index))
    return frames, masks, path, camera


def vote_counts(cell: Cell) -> np.ndarray:
    """(K,) votes for each grade."""
    return np.bincount(cell.votes, minlength=len(GRADES))


def generator(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The random numbers of one purpose (of PURPOSES) and one index (of a clip, donor or panel).

    Clip i of a data set depends on (seed, i) alone: not on how many clips there are, how many processes make them, or
    what another part of the simulator draws.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(PURPOSES.index(purpose), index)))


def _donor(seed: int, index: int):
    """A donor's common scores of form, his vigour of motion, and the generator of his microscope's settings."""
    rng = generator(seed, "donor", index % NUM_DONORS)
    return rng.normal(size=len(PARTS)), float(rng.normal()), rng


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
