"""From stored pixels to a model's input: augmentation by the symmetries of the task, and normalisation.

Augmentation is drawn from (seed, epoch, clip), so that resuming is exact. A sperm's grade does not depend on which way
up the dish lies, how bright the lamp is, or where in the crop the cell sits. It does depend on the direction of time
and on size, so neither is touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from hybrid.config import AugmentConfig


class AugmentParams(NamedTuple):
    """One clip's draw: mirrored or not, quarter turns, shift in pixels (down, right), gain and offset."""

    mirrored: bool
    quarter_turns: int
    shift: tuple[int, int]
    gain: float
    offset: float


IDENTITY = AugmentParams(mirrored=False, quarter_turns=0, shift=(0, 0), gain=1.0, offset=0.0)


def draw_view(config: AugmentConfig, side: int, seed: int, epoch: int, clip: int) -> AugmentParams:
    """The view of clip number `clip` in `epoch`: a function of its arguments alone."""
    mirrored, turns, down, right, gain, offset = _draws(seed, epoch, clip // DRAWN_AT_ONCE)[clip % DRAWN_AT_ONCE]
    reach = round(config.shift * side)
    down, right = (int((2 * reach + 1) * draw) - reach for draw in (down, right))
    gain, offset = 1 + config.gain * (2 * gain - 1), config.offset * (2 * offset - 1)
    turned = config.flips_and_turns
    return AugmentParams(turned and mirrored < 0.5, int(4 * turns) if turned else 0, (down, right), gain, offset)


DRAWN_AT_ONCE = 1024
"""clips: a generator of random numbers takes longer to set up than to draw a thousand"""


@lru_cache(maxsize=64)
def _draws(seed: int, epoch: int, block: int) -> list[list[float]]:
    """Six numbers in [0, 1) for each clip of a block."""
    return np.random.default_rng((seed, epoch, block)).random((DRAWN_AT_ONCE, 6)).tolist()


def apply(frames_THWC: np.ndarray, view: AugmentParams, out_THWC: np.ndarray) -> None:
    """Write the square clip, mirrored, turned and shifted, into `out_THWC`; what is shifted in repeats the border.

    Any dtype. It is what defines a view; batches are made by `one_pass` on a CPU and by `source_pixels` on a GPU.
    """
    transposed, upside_down, backwards = orientation(view)
    if transposed:
        frames_THWC = frames_THWC.swapaxes(1, 2)
    frames_THWC = frames_THWC[:, :: -1 if upside_down else 1, :: -1 if backwards else 1]
    rows, columns = (np.clip(np.arange(frames_THWC.shape[1]) - by, 0, frames_THWC.shape[1] - 1) for by in view.shift)
    out_THWC[:] = frames_THWC[:, rows[:, None], columns]


def orientation(view: AugmentParams) -> tuple[bool, bool, bool]:
    """Whether a frame is transposed, and whether its rows and its columns then are reversed.

    Turns are counter-clockwise, after mirroring.
    """
    mirrored, turns = view.mirrored, view.quarter_turns
    if turns % 2:
        return True, (turns == 1) != mirrored, turns == 3
    return False, turns == 2, (turns == 2) != mirrored


@lru_cache(maxsize=1024)
def source_pixels(mirrored: bool, quarter_turns: int, shift: tuple[int, int], side: int) -> Tensor:
    """(side * side,) int32: the pixel of a frame that each pixel of its view shows. It is `apply` as one table."""
    number_1HW1 = np.arange(side * side, dtype=np.int32).reshape(1, side, side, 1)
    shown_1HW1 = np.empty_like(number_1HW1)
    apply(number_1HW1, AugmentParams(mirrored, quarter_turns, shift, 1.0, 0.0), shown_1HW1)
    return torch.from_numpy(shown_1HW1.reshape(-1))


def shift_before_turning(view: AugmentParams) -> tuple[int, int]:
    """The shift (down, right) that, done before the clip is mirrored and turned, shows the same."""
    down, right = view.shift
    for _ in range(view.quarter_turns):
        down, right = right, -down
    return down, -right if view.mirrored else right


WAYS = ("published", "clip")
FLAT = 1.0
"""grey level: a clip of less contrast holds no picture to be scaled up"""


@dataclass(frozen=True)
class Normalisation:
    """mean, std: one number a colour channel, of inputs in [0, 1], as a model's published weights were trained with.

    way: 'published' takes these; 'clip' takes each clip's own, a mean a channel and one standard deviation of all
    its pixels. Micrographs are grey with little contrast (a tenth of natural images'), and their brightness is the
    lamp's: by their own measure they look alike to a network that starts from fresh weights.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    way: str = "published"

    def __post_init__(self):
        if self.way not in WAYS:
            raise ValueError(f"normalise must be one of {', '.join(WAYS)}, not {self.way!r}")

    def lines(self, views: list[AugmentParams], channels: int, own_B2C: Tensor | None) -> Tensor:
        """Scale and bias, (B, 2, C) float32: an input is a stored pixel (0 to 255) times the one, plus the other.

        own_B2C: the clips' own as they are seen, for the way 'clip', which undoes the brightness of the views.
        """
        if self.way == "clip":
            return own_B2C
        gain_B1, offset_B1 = torch.tensor([[view.gain, view.offset] for view in views], dtype=torch.float64).split(1, 1)
        mean_C, std_C = (_for_channels(values, channels) for values in (self.mean, self.std))
        # ((x / 255) * gain + offset - mean) / std
        return torch.stack([gain_B1 / (255 * std_C), (offset_B1 - mean_C) / std_C], dim=1).float()


def own_lines(moments_X2C: Tensor) -> Tensor:
    """Scale and bias, (..., 2, C) float32, of the way 'clip', from mean and mean square of each channel."""
    mean_XC, square_XC = moments_X2C.unbind(-2)
    contrast_X1 = (square_XC - mean_XC**2).mean(-1, keepdim=True).clamp_min(0).sqrt().clamp_min(FLAT)
    return torch.stack([(1 / contrast_X1).expand_as(mean_XC), -mean_XC / contrast_X1], dim=-2).float()


class Moments:
    """What uint8 clips are normalised by in the way 'clip', each clip measured when it is first asked for."""

    def __init__(self, frames_NTHWC: np.ndarray) -> None:
        self.frames_NTHWC = frames_NTHWC
        self.by_shift_NSS2C: np.ndarray | None = None
        """`own_lines` of `moments_by_shift`, of the clips that are measured"""
        self.measured: set[int] = set()

    def as_seen(self, numbers: Sequence[int], views: Sequence[AugmentParams]) -> Tensor:
        """(B, 2, C) float32: `own_lines` of the clips with these numbers in these views, brightness left out."""
        shifts_B2 = [shift_before_turning(view) for view in views]
        reach = max(max(abs(down), abs(right)) for down, right in shifts_B2)
        if self.by_shift_NSS2C is None or reach > self.reach:
            number, *_, channels = self.frames_NTHWC.shape
            self.by_shift_NSS2C = np.empty((number, 2 * reach + 1, 2 * reach + 1, 2, channels), np.float32)
            self.measured.clear()
        for clip in set(numbers) - self.measured:
            frames_THWC = torch.from_numpy(np.array(self.frames_NTHWC[clip]))
            self.by_shift_NSS2C[clip] = own_lines(moments_by_shift(frames_THWC, self.reach))
            self.measured.add(clip)
        down_B, right_B = zip(*((self.reach + down, self.reach + right) for down, right in shifts_B2), strict=True)
        return torch.from_numpy(self.by_shift_NSS2C[numbers, down_B, right_B])

    @property
    def reach(self) -> int:
        """the largest shift that is known of"""
        return self.by_shift_NSS2C.shape[1] // 2


def moments_by_shift(frames_THWC: Tensor, reach: int) -> Tensor:
    """(S, S, 2, C) float64, S = 2 reach + 1: mean and mean square of each channel, by how far the clip is shifted.

    Entry (reach + down, reach + right) is that of the uint8 clip shifted by so many pixels, the border repeated: as
    `apply` does it, whose turns and mirrors change no mean. The sums are exact.
    """
    pixels_THWC = frames_THWC.float()
    sums_2HWC = torch.stack([pixels_THWC.sum(0), pixels_THWC.square_().sum(0)]).double()  # below 2^24: 258 frames
    seen_SH, seen_SW = (_times_seen(side, reach) for side in frames_THWC.shape[1:3])
    sums_2SWC = (seen_SH @ sums_2HWC.flatten(2)).unflatten(2, sums_2HWC.shape[2:])
    return (seen_SW @ sums_2SWC).permute(1, 2, 0, 3) / frames_THWC[..., 0].numel()


@cache
def _times_seen(side: int, reach: int) -> Tensor:
    """(2 reach + 1, side): how often each row is shown, by the shift."""
    shown = torch.arange(side) - torch.arange(-reach, reach + 1)[:, None]
    return one_hot(shown.clamp(0, side - 1), side).sum(1).double()


def _for_channels(values: tuple[float, ...], channels: int) -> Tensor:
    """A grey clip is measured by the mean of the three colours."""
    values_C = torch.tensor(values, dtype=torch.float64)
    return values_C if channels == len(values) else values_C.mean().expand(channels)
