"""The options of the hybrid: what each means, which values it takes, which go together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from hybrid.model.attention import SPATIAL_CONTEXTS
from hybrid.model.attention_mask import SCOPES, WINDOWS
from hybrid.model.frame_part import FRAME_MIXERS
from hybrid.model.positions import POSITIONS

STAGES = {
    "none": (),
    "res5": ("res5",),
    "res4-5": ("res4", "res5"),
    "res3-5": ("res3", "res4", "res5"),
    "late": ("res5",),  # on the means of frames
}

FIRST_DESIGN = {"stages": "res4-5", "head": "attentive", "frame_mixer": "none"}
"""the default up to commit fae0a14: branches inside, and no part over frames"""
OF_BRANCHES = "mixer scope window keys positions init mlp width heads drop_path"
"""options that need stages with branches"""


def option(default: Any, help: str, values: Iterable[Any] = ()) -> Any:
    """A field of `HybridOptions`; without `values`, any that its check allows."""
    return field(default=default, metadata={"help": help, "values": tuple(values)})


@dataclass(frozen=True)
class HybridOptions:
    """Every option with its default and one sentence of help; a ValueError where values do not go together.

    SlowFast's own options (alpha, slow_frames, variant, dropout) are those of `baselines.slowfast.build`.
    """

    frame_mixer: str = option(
        "attention",
        "what mixes a clip's frames, as tokens, before the mean over time: attention over all frames or a window of 3, "
        "5 or 9; in its place, with as many parameters, a convolution by channel over 5 or 31 frames, a perceptron "
        "over all frames, or one for each frame alone; none: no part over frames",
        FRAME_MIXERS,
    )
    glimpse: bool = option(
        True,
        "whether the part over frames looks at each of them again, at the head, cut out along its heading",
        (True, False),
    )
    stages: str = option(
        "none",
        "stages after which the pathways exchange over time; 'late': once, on the means over space of res5's frames",
        STAGES,
    )
    mixer: str = option(
        "attention",
        "what mixes over time in the stages' branches: attention; in its place, with as many parameters, a convolution "
        "by channel over 3 or 9 frames, or a shift of a quarter of the channels by one frame",
        ("attention", "conv3", "conv9", "shift"),
    )
    scope: str = option(
        "both",
        "who reads whom: both pathways read both; 'slow' or 'fast' reads itself and the other has no exchange; "
        "'separate': each reads itself; 'fast_to_slow': Slow reads Fast",
        SCOPES,
    )
    window: str | int = option(
        "global",
        "frames of the clip, centred on a query's own, in which it sees keys; limits what can reach Fast with "
        "scope='fast' alone, see attention_mask.py",
        WINDOWS,
    )
    keys: str = option(
        "place",
        "where in space a query sees: its own place, the 3x3 places around it, the mean of each frame, the same with "
        "frames' means as queries too, or every place of every frame",
        SPATIAL_CONTEXTS,
    )
    positions: str = option(
        "rotary_seconds",
        "how attention knows times: not at all, by a learned vector a frame, by a learned bias for each distance, by "
        "rotation with the place in the own pathway, or with the time in seconds",
        POSITIONS,
    )
    init: str = option(
        "zero",
        "the scale of the branches' updates: zero at first, so that the hybrid starts as its SlowFast, or 'random', a "
        "tenth",
        ("zero", "random"),
    )
    mlp: int = option(
        0,
        "hidden width of a feed-forward layer after mixing, in widths: it sees own features and those of other moments "
        "together; 0: none",
        (0, 1, 2, 4),
    )
    width: int | None = option(None, "of the branches; by default 256 at paper size, 48 at tiny, see WIDTHS")
    heads: int | None = option(None, "of the attention; by default 8 at paper size, 4 at tiny")
    laterals: bool = option(True, "whether SlowFast's lateral connections, Fast to Slow, are there", (True, False))
    head: str = option(
        "pooled",
        "'pooled' is SlowFast's mean over space and time; 'attentive' adds a pooling by learned weights, zero at first",
        ("pooled", "attentive"),
    )
    classifier: str = option(
        "linear",
        "'linear' gives each grade a score of its own; 'ordinal' places the clip on one scale, with a spread, and cuts "
        "it by rising thresholds",
        ("linear", "ordinal"),
    )
    drop_path: float = option(0.0, "share of clips that a training step leaves without a branch, pathway by pathway")
    drop_pathway: float = option(0.0, "share of clips of which a training step hands nothing over from Fast")

    def __post_init__(self):
        for known in fields(self):
            value, values = getattr(self, known.name), known.metadata["values"]
            if values and not any(value == one and type(value) is type(one) for one in values):
                raise ValueError(f"{known.name} must be one of {', '.join(map(str, values))}, not {value!r}")
        for name in ("drop_path", "drop_pathway"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be from 0 to below 1, not {getattr(self, name)}")
        if self.frame_mixer == "none":
            self.refuse("glimpse", "frame_mixer='none' has no part over frames")
        if self.stages == "none":
            self.refuse(OF_BRANCHES, "stages='none' has no branch")
        if self.mixer != "attention":
            self.refuse("window keys positions heads", f"mixer={self.mixer!r} has no attention")
        if self.stages == "late":
            self.refuse("keys", "stages='late' has one token a frame, and no places")

    def refuse(self, idle: str, why: str) -> None:
        """An option that does nothing is a mistake, or a run done twice."""
        default = {known.name: known.default for known in fields(self)}
        set_anyway = [name for name in idle.split() if getattr(self, name) != default[name]]
        if set_anyway:
            raise ValueError(f"{why} that {', '.join(set_anyway)} could be about")

    @property
    def pooled(self) -> bool:
        """Whether a branch has one token a frame, its mean over space."""
        return self.stages == "late" or self.keys == "frame_to_frame"
