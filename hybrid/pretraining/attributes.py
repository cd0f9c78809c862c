"""What a model is pretrained to tell of a clip: what one could measure on the cell, and nothing that is a grade.

of a clip, read off the features that the classifier would see:

group      attributes                                                                          how
casa       VCL, VSL, VAP, LIN, STR, WOB, ALH, BCF of the path, at the clip's frame rate         log(1 + um/s), -, um, Hz
form       head's length, width; droplet; angle of the neck; length of tail                     um
           class of head, class of tail                                                         choice
texture    vacuoles, acrosome, contrast of the chromatin's grain                                number, share, -
motion     amplitude, wavelength, mean bend, rolling, the beat's advance from frame to frame     as in truth.csv
           class of motion                                                                      choice
event      kind of event ('none' among them)                                                    choice
           frames of its two moments, where there is one                                        frame
relations  of each two of five equal parts of the clip: cosine of the change of heading, change -, log(um/s), -, 1/um^2
           of log speed and of amplitude, product of the mean bends

of every frame, read off the model's own time steps (`ClipModel.time_steps`):

frames     heading; the head's place; three points of the tail; velocity; bend; amplitude; speed   see `frame_values`

What is left out: votes, the panel's expected distribution, quality and its parts, the four latent scores of form
(`score_*`), the figures of the steady swim that motion is graded by (`*_steady`), and `event_sign`. The last is the
graded part of an event itself, good or bad, up to a factor. A model is told where a cell was, how it lay and how it
moved in every frame, that it turned twice and when; that turns to opposite sides are good it has to find out from the
grades. Nothing relates an event's own moments to each other. The relations are of parts that are the same for every
clip, whatever its event and wherever that lies; all pairs count alike, and none says which of them matters.

They are not innocent, though: an event is good or bad by how two moments relate, and some pair of parts often holds
both. On true values of 2000 clips, a ridge regression on all relations correlates .88 with the event's part of quality
in `clinic` (.83 in `standard`), and one on the change of heading alone .67 (.39). In `standard` the product of bends of
one fixed pair tells the sign within 'turns' (.78), so `targets=dense_no_bends` leaves the products out; in `clinic`
they make no difference (.87), and `dense_no_relations` leaves out all. A claim about events is to be made for that arm
too.

What this means for a result on simulated clips: their quality is a formula of what is physically there. VSL as seen
orders cells almost as the motion's part of it does, the vacuoles and the acrosome almost as two of the four scores of
form, and the grain just as a third, which in `clinic` is .80 of form. How these are weighed and what makes an event
good are not told. A pretrained model has
seen more clips of the same simulator, each with hundreds of numbers in place of one grade, and there is no gap
between the simulator and the test. Its lead over a fresh model is an upper bound of what pretraining brings on real
clips, and none of it is evidence about real sperm.

Numbers of a frame are of the clip as it lies in the picture. A view that mirrors, turns or shifts the clip does the
same to them; signs that a mirror flips (of the neck's angle and of a clip's mean bend) are left out of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from hybrid.data.casa import FIGURES
from hybrid.data.transforms import AugmentParams
from hybrid.model.frame_values import FRAME_VALUES
from hybrid.simulator.events import KINDS
from hybrid.simulator.form import HEADS, TAILS
from hybrid.simulator.motion import CLASSES

VERSION = 2
"""of the values: another one when what is kept of a clip changes"""
PARTS = 5
"""of a clip, that relations are between"""
RELATIONS = ("turn", "speed", "amplitude", "bends")
TARGETS = {
    "dense": ("casa", "form", "texture", "motion", "event", "relations", "frames"),
    "dense_no_bends": ("casa", "form", "texture", "motion", "event", "relations", "frames"),
    "dense_no_relations": ("casa", "form", "texture", "motion", "event", "frames"),
    "dense_no_events": ("casa", "form", "texture", "motion", "relations", "frames"),
}
"""groups of what is told, by the configuration's name for them; without bends, the relations lack their products"""
EVERYTHING = "dense"


@dataclass(frozen=True)
class Number:
    """A measured attribute: `of` the column of truth.csv and the clips' frame rate; NaN where it does not apply."""

    name: str
    group: str
    column: str
    of: Callable[[float, float], float] = lambda value, rate: value


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
    return abs(value)


def _where_any(value, rate):
    return np.nan if value < 0 else value


# The beat as it seems has a frequency between minus and plus half the frame rate, whose ends are the same: on a circle.
_ADVANCE = {
    "beat_cos": lambda value, rate: np.cos(2 * np.pi * value / rate),
    "beat_sin": lambda value, rate: np.sin(2 * np.pi * value / rate),
}

NUMBERS = (
    *(Number(f, "casa", f"{f}_seen", *([_log] if f in ("vcl", "vsl", "vap") else [])) for f in FIGURES),
    *(Number(c, "form", c) for c in ("head_length", "head_width")),
    *(Number(c, "texture", c) for c in ("acrosome", "vacuoles", "grain")),
    *(Number(c, "form", c) for c in ("droplet", "tail_length")),
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
    """What some `targets` ask of clips of this many frames at this rate.

    A clip's values_V are its numbers, the relations among them, then the index of each choice, then the FRAME_VALUES of
    each frame.
    """

    targets: str
    num_frames: int
    frame_rate: float

    @property
    def groups(self) -> tuple[str, ...]:
        return TARGETS[self.targets]

    @property
    def numbers(self) -> list[Number]:
        return [number for number in NUMBERS if number.group in self.groups]

    @property
    def choices(self) -> list[Choice]:
        return [choice for choice in CHOICES if choice.group in self.groups]

    @property
    def relations(self) -> tuple[str, ...]:
        if "relations" not in self.groups:
            return ()
        return RELATIONS[:-1] if self.targets == "dense_no_bends" else RELATIONS

    @property
    def measured(self) -> dict[str, str]:
        """The numbers and relations of a clip, by name: the group, or of relations the kind."""
        pairs = list(combinations(range(1, PARTS + 1), 2))
        related = {f"{kind} {i}-{j}": kind for kind in self.relations for i, j in pairs}
        return {number.name: number.group for number in self.numbers} | related

    @cached_property
    def names(self) -> list[str]:
        """Of the V values."""
        chosen = [f"class of {choice.name}" for choice in self.choices]
        return [
            *self.measured,
            *chosen,
            *(f"{name} {frame}" for frame in range(self.num_frames) for name in FRAME_VALUES),
        ]

    @cached_property
    def columns(self) -> np.ndarray:
        """(V,) where its values lie among those that are kept of a clip, which are EVERYTHING's."""
        place = {name: n for n, name in enumerate(Attributes(EVERYTHING, self.num_frames, self.frame_rate).names)}
        return np.array([place[name] for name in self.names])


def known(truth: dict[str, Any], frame_rate: float, half_view: float) -> np.ndarray:
    """What is kept of a clip's truth (`simulator.stream`): the (V,) values of EVERYTHING, float32.

    half_view: of the picture's width, px.
    """
    frames_TD, related = frame_values(truth, frame_rate, half_view), relations(truth, frame_rate)
    numbers = [number.of(truth[number.column], frame_rate) for number in NUMBERS]
    choices = [choice.classes.index(truth[choice.column]) for choice in CHOICES]
    return np.concatenate([numbers, related, choices, frames_TD.ravel()]).astype(np.float32)


def frame_values(truth: dict[str, Any], frame_rate: float, half_view: float) -> np.ndarray:
    """(T, D): see FRAME_VALUES. Places in half widths of the picture from its middle, the tail's points in um from the
    head; velocity in um/s over the neighbouring frames, and speed as log(1 + its size)."""
    heading_T, place_T2, pixel_T2 = _path(truth)
    series = truth["series"]
    velocity_T2 = np.gradient(place_T2, axis=0) * frame_rate
    return np.column_stack(
        [
            np.cos(heading_T),
            np.sin(heading_T),
            (pixel_T2 - (half_view - 0.5)) / half_view,
            series["tail"].reshape(len(heading_T), -1),
            velocity_T2,
            series["bend"],
            series["amplitude"],
            np.log1p(np.linalg.norm(velocity_T2, axis=1)),
        ]
    )


def relations(truth: dict[str, Any], frame_rate: float) -> np.ndarray:
    """Of each two of PARTS parts of the clip, one RELATION after the other: no matter what event there is, or when."""
    heading_T, place_T2, _ = _path(truth)
    parts = np.array_split(np.arange(len(heading_T)), PARTS)
    # to the frame after the part, so that parts cover the clip
    ends = [place_T2[min(part[-1] + 1, len(place_T2) - 1)] - place_T2[part[0]] for part in parts]
    mean = {name: np.array([truth["series"][name][part].mean() for part in parts]) for name in ("amplitude", "bend")}
    heading = np.array([np.angle(np.exp(1j * heading_T[part]).mean()) for part in parts])
    lengths = np.linalg.norm(ends, axis=1) / [len(part) for part in parts]
    speed = np.log1p(lengths * frame_rate)
    i, j = np.triu_indices(PARTS, 1)
    return np.concatenate(
        [
            np.cos(heading[j] - heading[i]),
            speed[j] - speed[i],
            mean["amplitude"][j] - mean["amplitude"][i],
            mean["bend"][i] * mean["bend"][j],
        ]
    )


def _path(truth: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heading (T,), place in the world (T, 2), um, and in the picture (T, 2), px."""
    rows = np.array([[row[k] for k in ("heading", "x_um", "y_um", "x_px", "y_px")] for row in truth["path"]])
    return rows[:, 0], rows[:, 1:3], rows[:, 3:]


MIRROR = np.array([[-1, 0], [0, 1]])
QUARTER_TURN = np.array([[0, -1], [1, 0]])
"""counter-clockwise: what went right goes up, what went down goes right"""


def turn_of(view: AugmentParams) -> np.ndarray:
    """(2, 2): a vector (right, down) times this is the vector in the clip as `data.transforms.apply` shows it."""
    mirror = MIRROR if view.mirrored else np.eye(2)
    return mirror @ np.linalg.matrix_power(QUARTER_TURN, view.quarter_turns)
