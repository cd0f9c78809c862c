"""What a clip is after decoding: the one shape every model gets. (Needs no decoder to be imported.)"""

import math
from dataclasses import dataclass

import numpy as np

from hybrid.errors import UserError

DECODER_VERSION = 4
"""part of the cache's key: raise it when the same file would be decoded to other frames or facts"""

BLACK = 16
"""of 255: no pixel is brighter"""
BLANK = 1.0
"""grey levels of standard deviation in every frame; the faintest of the simulator's clips have 3"""
STILL = 0.1
"""grey levels by which pixels change, on average, from the first frame; the stillest of the simulator's have 0.9"""


@dataclass(frozen=True)
class ClipSpec:
    """How clips are sampled: `num_frames` at `frame_rate` a second, `side` x `side` pixels, 1 (grey) or 3 channels."""

    num_frames: int = 16
    frame_rate: float = 16.0
    side: int = 64
    channels: int = 3

    def __post_init__(self):
        if self.num_frames < 2:
            raise UserError(f"num_frames must be 2 or more, not {self.num_frames}")
        if not (math.isfinite(self.frame_rate) and self.frame_rate > 0):
            raise UserError(f"frame_rate must be above 0, not {self.frame_rate}")
        if self.side < 8:
            raise UserError(f"side must be 8 pixels or more, not {self.side}")
        if self.channels not in (1, 3):
            raise UserError(f"channels must be 1 (grey) or 3 (colour), not {self.channels}")

    @property
    def seconds(self) -> float:
        """The length of the window that is sampled."""
        return self.num_frames / self.frame_rate

    @property
    def times(self) -> tuple[float, ...]:
        """Seconds from the first frame at which frames are wanted."""
        return tuple(i / self.frame_rate for i in range(self.num_frames))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T, H, W, C)"""
        return (self.num_frames, self.side, self.side, self.channels)


@dataclass(frozen=True)
class ClipFacts:
    """What the source was, so that a caller can say what had to be done to it.

    seconds: length of the source; as its container declares it where decoding stopped at the end of the window.
    frame_rate: mean frames a second of the source within the window.
    width, height: as displayed (after rotation, with square pixels).
    padded: how many of the frames lie past the end of the source and repeat its last one.
    distinct: how many different source frames were taken.
    flat: 'black', 'blank' (one grey), 'still' or '': whether the frames show nothing, or nothing that moves.
    notes: what is odd about the source, in words that can be said of several clips.
    """

    seconds: float
    frame_rate: float
    width: int
    height: int
    padded: int
    distinct: int
    flat: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "notes", tuple(self.notes))  # a list where JSON kept them


def flatness(frames_THWC: np.ndarray) -> str:
    """`ClipFacts.flat` of a clip's frames."""
    # A frame at a time, till one shows something: all of them as floats would take longer than to decode them.
    if frames_THWC.max() < BLACK:
        return "black"
    if all(frame_HWC.std(dtype=np.float32) < BLANK for frame_HWC in frames_THWC):
        return "blank"
    first_HWC = frames_THWC[0].astype(np.float32)
    return "still" if all(np.abs(frame_HWC - first_HWC).mean() < STILL for frame_HWC in frames_THWC[::-1]) else ""


@dataclass(frozen=True, eq=False)
class DecodedClip:
    """frames_THWC: uint8, C is 1 (luma) or 3 (RGB)."""

    frames_THWC: np.ndarray
    facts: ClipFacts


class ClipError(UserError):
    """A video cannot be used; `reason` says why, the message says which as well."""

    def __init__(self, path, reason: str):
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason

    def __reduce__(self):
        return ClipError, (self.path, self.reason)
