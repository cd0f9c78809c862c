"""Frequency: how strongly the answer reacts to small oscillations, and to cells whose tail beats slower and faster."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.base import Curve, InputClips, Measure, MeasureResult, ModelUnderTest
from hybrid.analysis.measures.batching import ROUNDING, each_clip, expected_grades
from hybrid.analysis.measures.rendered import as_input, cells_at, spec_of


@dataclass(frozen=True)
class FrequencyResponse(Measure):
    """H(f) = |y(x + d) - y(x - d)| / 2 eps for d = eps sd cos(2 pi f t + phi) u, quadratic mean over two phases phi.

    y: the expected grade. sd: the clip's standard deviation, so that the answer does not depend on how a model's clips
    are normalised. u: a picture with a root mean square of 1 over pixels and channels, two of them. motion: the
    leading principal component in time of the clip itself, where its own beat oscillates; flicker: all pixels alike,
    as a lamp would. f: the multiples of frame rate / T up to half the frame rate, onto which faster ones fold back.
    centroid: sum f H / sum H, NaN where there is no response; gain: mean of H over f.

    The difference of opposite oscillations leaves what y answers in proportion to them; of a linear y, two phases a
    quarter turn apart give the same mean whatever the phase it answers to. A mean over time answers to f = 0
    alone; a model of one frame cannot tell frequencies and answers to all alike.
    """

    name = "frequency"
    title = "Frequency response"
    source = "this project: the transfer function of linear systems, of the model linearised at the clip"

    eps: float = 0.05
    """of the clip's standard deviation"""

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return len(PICTURES) * 4 * (num_frames // 2 + 1)

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        rows = [
            {name: self.response(tested, clip_CTHW, picture, batch_size) for name, picture in PICTURES.items()}
            for clip_CTHW in each_clip(tested, clips, self.title)
        ]
        frames = clips.clip_NCTHW.shape[2]
        hertz_F = np.arange(frames // 2 + 1) * clips.frame_rate / frames
        figures, curves = {}, {}
        for name in PICTURES:
            H_NF = np.stack([row[name] for row in rows])
            gain_N = H_NF.mean(axis=1)
            total_N = np.where(gain_N * self.eps > ROUNDING, H_NF.sum(axis=1), np.nan)
            figures[f"centroid, {name} (Hz)"] = H_NF @ hertz_F / total_N
            figures[f"gain, {name} (grades)"] = gain_N
            curves[name] = Curve(hertz_F, H_NF, "frequency (Hz)", "response (grades per sd of the clip)")
        return MeasureResult(figures=figures, curves=curves)

    def response(self, tested: ModelUnderTest, clip_CTHW: Tensor, picture: Callable, batch_size: int) -> np.ndarray:
        """H, (F,)."""
        answer_V = expected_grades(tested, self.versions(clip_CTHW, picture(clip_CTHW)), batch_size)
        plus, minus = rearrange(answer_V, "(f phase sign) -> sign f phase", phase=2, sign=2)
        return np.sqrt(np.square((plus - minus) / 2).mean(axis=1)) / self.eps

    def versions(self, clip_CTHW: Tensor, pattern_CHW: Tensor) -> Iterator[Tensor]:
        """By frequency, phase and sign."""
        frames = clip_CTHW.shape[1]
        amplitude = self.eps * clip_CTHW.std()
        turn_T = torch.arange(frames, device=clip_CTHW.device) * (2 * math.pi / frames)
        for cycles in range(frames // 2 + 1):
            for phase in (0, math.pi / 2):
                wave_T = amplitude * torch.cos(cycles * turn_T + phase)
                for sign in (1, -1):
                    yield clip_CTHW + sign * wave_T[:, None, None] * pattern_CHW[:, None]


def motion(clip_CTHW: Tensor) -> Tensor:
    """(C, H, W) of root mean square 1: the leading principal component of what moves; 0 where nothing does."""
    frame_TX = clip_CTHW.double().transpose(0, 1).flatten(1)  # in double precision equal frames are exactly their mean
    moving_TX = frame_TX - frame_TX.mean(dim=0)
    _, mode_TT = torch.linalg.eigh(moving_TX @ moving_TX.T)
    pattern_X = mode_TT[:, -1] @ moving_TX
    pattern_X = pattern_X / pattern_X.square().mean().sqrt().clamp_min(1e-9)
    return pattern_X.to(clip_CTHW).view_as(clip_CTHW[:, 0])


def flicker(clip_CTHW: Tensor) -> Tensor:
    return torch.ones_like(clip_CTHW[:, 0])


PICTURES = {"motion": motion, "flicker": flicker}


STEPS = 8
"""frequencies from one step up to the frame rate, beside 0"""


@dataclass(frozen=True)
class BeatSweep(Measure):
    """The expected grade y of simulated cells over the frequency f of their beat, all else the same.

    f: 0 to the frame rate in eighths of it. range: max - min of y up to half the frame rate, where nothing folds. fold:
    mean of |y(f) - y(frame rate - f)|, two beats that look alike but for the direction of the wave (10 Hz filmed at
    16 frames a second runs as 6 Hz from tip to head) and the cell's speed: how far a model tells them apart.
    All cells are straight swimmers. With the beat goes their speed, as in nature, so this is a response to motion and
    not to a frequency alone. In the first frame the posture is the same at every f and the place in the picture nearly
    so: image models answer almost alike, and what they differ by is the measure's floor.
    A row of the figures is a cell, not a clip of the analysis.
    """

    name = "beat_sweep"
    title = "Beat frequency, rendered anew"
    source = "this project, with the simulator"
    rendered = True

    passes_a_clip = 0
    num_cells: int = 8

    def passes_once(self, model: ClipModel, num_frames: int) -> float:
        return self.num_cells * (STEPS + 1)

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        hertz_F = np.arange(STEPS + 1) * clips.frame_rate / STEPS
        frames = cells_at(tuple(hertz_F.tolist()), self.num_cells, spec_of(clips))
        versions = as_input(tested, rearrange(frames, "cell f ... -> (cell f) ..."))
        grade_CF = expected_grades(tested, versions, batch_size).reshape(self.num_cells, len(hertz_F))
        return MeasureResult(
            figures={
                "range (grades)": np.ptp(grade_CF[:, : STEPS // 2 + 1], axis=1),
                "fold (grades)": np.abs(grade_CF - grade_CF[:, ::-1])[:, : STEPS // 2].mean(axis=1),
            },
            curves={"beat": Curve(hertz_F, grade_CF, "beat frequency (Hz)", "expected grade")},
        )
