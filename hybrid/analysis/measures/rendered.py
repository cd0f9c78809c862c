"""Clips rendered for a measure: cells that share one property alone, or differ in one alone, as no recorded cells do.

They are filmed like the simulator's data sets, with the number of frames and the frame rate of the analysed clips, and
scaled and normalised as decoded clips are. Rendering takes about half a second a clip, so rendered clips are kept for
the next model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor
from tqdm import tqdm

from hybrid.analysis.base import InputClips, ModelUnderTest
from hybrid.data.loader import InMemoryClips
from hybrid.simulator.clip import draw_cell, film
from hybrid.simulator.events import NO_EVENT
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings
from hybrid.simulator.stream import FIRST_PAIR, pairs

SEED = 0
"""cells are numbered from FIRST_PAIR on, beyond those of any data set, so that no model was trained on one"""
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class RenderSpec:
    """What rendered clips must have in common with the analysed clips."""

    num_frames: int
    frame_rate: float
    side: int
    channels: int

    @classmethod
    def like(cls, clips: InputClips) -> RenderSpec:
        _, channels, frames, side, _ = clips.clip_NCTHW.shape
        return cls(frames, clips.frame_rate, side, channels)

    @property
    def settings(self) -> Settings:
        exposure = min(Settings.exposure, 1 / self.frame_rate)
        return Settings(num_frames=self.num_frames, frame_rate=self.frame_rate, exposure=exposure)

    def scaled(self, frames_THWC: np.ndarray) -> np.ndarray:
        """uint8 frames of any square size and three colours, at this side and these channels."""
        x_TCHW = rearrange(torch.from_numpy(frames_THWC).float(), "t h w c -> t c h w")
        if self.channels == 1:
            x_TCHW = torch.einsum("tchw,c->thw", x_TCHW, torch.tensor(LUMA)).unsqueeze(1)
        size = (self.side, self.side)
        smaller = self.side < x_TCHW.shape[-1]
        x_TCHW = F.interpolate(x_TCHW, size, mode="area") if smaller else F.interpolate(x_TCHW, size, mode="bicubic")
        return rearrange(x_TCHW.round().clamp(0, 255).byte().numpy(), "t c h w -> t h w c")


@lru_cache(maxsize=4)
def pairs_that_share(what: str, num_pairs: int, spec: RenderSpec) -> np.ndarray:
    """(2, P, T, H, W, C) uint8: pairs of cells with one form, or with one beat and event, and all else different."""
    made = tqdm(
        pairs(what, num_pairs, SEED, settings=spec.settings),
        desc=f"rendering pairs that share {what}",
        total=num_pairs,
        unit="pair",
        disable=None,
        leave=False,
    )
    return np.stack([[spec.scaled(frames) for frames, _ in pair] for pair in made], axis=1)


@lru_cache(maxsize=4)
def cells_at(hertz: tuple[float, ...], num_cells: int, spec: RenderSpec) -> np.ndarray:
    """(cells, F, T, H, W, C) uint8: straight swimmers without an event, the tail of each beating at every frequency."""
    settings, preset = spec.settings, get_preset("lag2")  # its cells are straight and all swim
    cells = [draw_cell(SEED, FIRST_PAIR + number, settings, preset) for number in range(num_cells)]
    wanted = [
        replace(cell, event=NO_EVENT, beat=replace(cell.beat, frequency=frequency))
        for cell in cells
        for frequency in hertz
    ]
    bar = tqdm(wanted, desc="rendering beats", unit="clip", disable=None, leave=False)
    frames = np.stack([spec.scaled(film(cell, settings)[0]) for cell in bar])
    return rearrange(frames, "(cell f) ... -> cell f ...", f=len(hertz))


def as_input(tested: ModelUnderTest, frames_NTHWC: np.ndarray) -> Iterator[Tensor]:
    """Each clip_CTHW as the model wants it, on its device; made one at a time."""
    resident = InMemoryClips(frames_NTHWC, tested.normalisation)
    for number in range(len(frames_NTHWC)):
        yield resident.batch(torch.tensor([number]), tested.device)[0]
