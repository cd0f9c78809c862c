"""What a model is pretrained to tell of a clip: what one could measure on the cell, and nothing that is a grade.

group    attributes                                                                            how
path     displacement of the head from frame to frame, in the picture's axes                   um, a pair a step
casa     VCL, VSL, VAP, LIN, STR, WOB, ALH, BCF of that path, at the clip's frame rate          log(1 + um/s), -, um, Hz
form     head's length, width, acrosome, vacuoles; droplet; angle of the neck; length of tail   um, share, number
         class of head, class of tail                                                          choice
motion   amplitude, wavelength, mean bend, rolling, the beat's advance from frame to frame      as in truth.csv
         class of motion                                                                       choice
event    kind of event ('none' among them)                                                     choice
         frames of its two moments, where there is one                                         frame

What is left out: votes, the panel's expected distribution, quality and its parts, the four latent scores of form
(`score_*`), the figures of the steady swim that motion is graded by (`*_steady`), and `event_sign`. The last is the
graded part of an event itself, good or bad, up to a factor. A model is told that a cell turned twice and when, and by
its path where it went; that turns to opposite sides are good it has to find out from the grades.

What this means for a result on simulated clips: their quality is a formula of what is physically there. VSL as seen
orders cells almost as the motion's part of it does, the vacuoles and the acrosome almost as two of the four scores of
form; how these are weighed, the chromatin's grain and what makes an event good are not told. A pretrained model has
seen more clips of the same simulator, each with dozens of attributes in place of one grade, and there is no gap
between the simulator and the test. Its lead over a fresh model is an upper bound of what pretraining brings on real
clips, and none of it is evidence about real sperm.

Attributes are of the clip as it lies in the picture. A view that mirrors or turns the clip does the same to the path;
signs that a mirror flips (of the neck's angle and of the mean bend) are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hybrid.data.casa import FIGURES
from hybrid.data.transforms import AugmentParams
from hybrid.simulator.events import KINDS
from hybrid.simulator.form import HEADS, TAILS
from hybrid.simulator.motion import CLASSES

TARGETS = {
    "physics": ("path", "casa", "form", "motion"),
    "physics+events": ("path", "casa", "form", "motion", "event"),
}
"""groups of attributes, by the configuration's name for them"""


@dataclass(frozen=True)
class Number:
    """A measured attribute: `of` the column of truth.csv and the clips' frame rate; NaN where it does not apply."""

    name: str
    group: str
    column: str
    of: Callable[[np.ndarray, float], np.ndarray] = lambda value, rate: value


@dataclass(frozen=True)
class Choice:
    """An attribute that is one of `classes`; its name is the column of truth.csv."""

    name: str
    group: str
    classes: tuple[str, ...]

    @property
    def column(self) -> str:
        return self.name


def _log(value, rate):
    return np.log1p(value)


def _size(value, rate):
    return np.abs(value)


def _where_any(value, rate):
    return np.where(value < 0, np.nan, value)


# The beat as it seems has a frequency between minus and plus half the frame rate, whose ends are the same: on a circle.
_ADVANCE = {
    "beat_cos": lambda value, rate: np.cos(2 * np.pi * value / rate),
    "beat_sin": lambda value, rate: np.sin(2 * np.pi * value / rate),
}

NUMBERS = (
    *(Number(f, "casa", f"{f}_seen", *([_log] if f in ("vcl", "vsl", "vap") else [])) for f in FIGURES),
    *(Number(c, "form", c) for c in ("head_length", "head_width", "acrosome", "vacuoles", "droplet", "tail_length")),
    Number("neck", "form", "neck_angle", _size),
    *(Number(c, "motion", c) for c in ("amplitude", "wavelength", "roll_hz")),
    Number("bend", "motion", "bend", _size),
    *(Number(name, "motion", "beat_hz_seen", of) for name, of in _ADVANCE.items()),
    *(Number(c, "event", c, _where_any) for c in ("event_first", "event_second")),
)
CHOICES = (
    Choice("head", "form", HEADS),
    Choice("tail", "form", TAILS),
    Choice("motion", "motion", CLASSES),
    Choice("event", "event", ("none", *KINDS, "relation")),
)


@dataclass(frozen=True)
class Attributes:
    """The attributes of some groups, of clips of this many frames at this rate.

    A clip's values_V are the steps of its path (dx, dy, dx, dy ...: right and down, um), then its numbers, then the
    index of each choice.
    """

    targets: str
    num_frames: int
    frame_rate: float

    @property
    def groups(self) -> tuple[str, ...]:
        return TARGETS[self.targets]

    @property
    def steps(self) -> list[str]:
        """The columns of the path."""
        return [f"{axis}{step}" for step in range(1, self.num_frames) for axis in ("dx", "dy")]

    @property
    def numbers(self) -> list[Number]:
        return [number for number in NUMBERS if number.group in self.groups]

    @property
    def choices(self) -> list[Choice]:
        return [choice for choice in CHOICES if choice.group in self.groups]

    def values(self, clips: pd.DataFrame) -> np.ndarray:
        """(N, V) float32 of clips with the columns of `known`."""
        columns = [clips[step] for step in self.steps]
        columns += [number.of(clips[number.column].to_numpy(float), self.frame_rate) for number in self.numbers]
        columns += [clips[choice.column].map(choice.classes.index) for choice in self.choices]
        return np.column_stack(columns).astype(np.float32)


def known(truth: dict) -> dict[str, float | str]:
    """What is kept of a clip's truth (`simulator.stream`): the columns that attributes come from, and no others."""
    row = {attribute.column: truth[attribute.column] for attribute in (*NUMBERS, *CHOICES)}
    place = np.array([[frame["x_um"], frame["y_um"]] for frame in truth["path"]])
    for step, (dx, dy) in enumerate(np.diff(place, axis=0), start=1):
        row |= {f"dx{step}": float(dx), f"dy{step}": float(dy)}
    return row


MIRROR = np.array([[-1, 0], [0, 1]])
QUARTER_TURN = np.array([[0, -1], [1, 0]])
"""counter-clockwise: what went right goes up, what went down goes right"""


def turn_of(view: AugmentParams) -> np.ndarray:
    """(2, 2): a step (right, down) times this is the step in the clip as `hybrid.data.transforms.apply` shows it."""
    mirror = MIRROR if view.mirrored else np.eye(2)
    return mirror @ np.linalg.matrix_power(QUARTER_TURN, view.quarter_turns)
