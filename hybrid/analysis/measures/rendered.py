"""Clips rendered for a measure: cells that share one property alone, or differ in one alone, as no recorded cells do.

They are filmed like the simulator's data sets, with the number of frames and the frame rate of the analysed clips, and
scaled and normalised as decoded clips are. Rendering takes about half a second a clip, so rendered clips are kept for
the next model.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor
from tqdm import tqdm

from hybrid.analysis.base import InputClips, ModelUnderTest
from hybrid.data.clip import ClipSpec
from hybrid.data.loader import InMemoryClips
from hybrid.simulator.clip import draw_cell, film
from hybrid.simulator.events import NO_EVENT
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings
from hybrid.simulator.stream import FIRST_PAIR, pairs

SEED = 0
"""cells are numbered from FIRST_PAIR on, beyond those of any data set, so that no model was trained on one"""
LUMA = (0.299, 0.587, 0.114)


def spec_of(clips: InputClips) -> ClipSpec:
    """What rendered clips must have in common with the analysed clips."""
    _, channels, frames, side, _ = clips.clip_NCTHW.shape
    return ClipSpec(frames, clips.frame_rate, side, channels)


def settings_for(spec: ClipSpec) -> Settings:
    exposure = min(Settings.exposure, 1 / spec.frame_rate)
    return Settings(num_frames=spec.num_frames, frame_rate=spec.frame_rate, exposure=exposure)


def scaled(frames_THWC: np.ndarray, spec: ClipSpec) -> np.ndarray:
    """uint8 frames of any square size and three colours, at this side and these channels."""
    x_TCHW = rearrange(torch.from_numpy(frames_THWC).float(), "t h w c -> t c h w")
    if spec.channels == 1:
        x_TCHW = torch.einsum("tchw,c->thw", x_TCHW, torch.tensor(LUMA)).unsqueeze(1)
    mode = "area" if spec.side < x_TCHW.shape[-1] else "bicubic"
    x_TCHW = F.interpolate(x_TCHW, (spec.side, spec.side), mode=mode)
    return rearrange(x_TCHW.round().clamp(0, 255).byte().numpy(), "t c h w -> t h w c")


@lru_cache(maxsize=4)
def pairs_that_share(what: str, num_pairs: int, spec: ClipSpec) -> np.ndarray:
    """(2, P, T, H, W, C) uint8: pairs of cells with one form, or with one beat and event, and all else different."""
    made = pairs(what, num_pairs, SEED, settings=settings_for(spec))
    bar = tqdm(made, f"rendering pairs that share {what}", num_pairs, unit="pair", disable=None, leave=False)
    return np.stack([[scaled(frames, spec) for frames, _ in pair] for pair in bar], axis=1)


@lru_cache(maxsize=4)
def cells_at(hertz: tuple[float, ...], num_cells: int, spec: ClipSpec) -> np.ndarray:
    """(cells, F, T, H, W, C) uint8: straight swimmers without an event, the tail of each beating at every frequency."""
    preset = get_preset("lag2")  # its cells are straight and all swim
    settings = preset.look.camera(settings_for(spec))
    cells = [draw_cell(SEED, FIRST_PAIR + number, settings, preset) for number in range(num_cells)]
    wanted = [
        replace(cell, event=NO_EVENT, beat=replace(cell.beat, frequency=frequency))
        for cell in cells
        for frequency in hertz
    ]
    bar = tqdm(wanted, desc="rendering beats", unit="clip", disable=None, leave=False)
    frames = np.stack([scaled(film(cell, settings)[0], spec) for cell in bar])
    return rearrange(frames, "(cell f) ... -> cell f ...", f=len(hertz))


def as_input(tested: ModelUnderTest, frames_NTHWC: np.ndarray) -> Iterator[Tensor]:
    """Each clip_CTHW as the model wants it, on its device; made one at a time."""
    in_memory = InMemoryClips(frames_NTHWC, tested.normalisation)
    for number in range(len(frames_NTHWC)):
        yield in_memory.batch(torch.tensor([number]), tested.device)[0]
