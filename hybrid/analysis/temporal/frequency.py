"""Measure 5, first part: how strongly the answer reacts to a small oscillation of each frequency."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.measure import Curve, Finding, Measure
from hybrid.analysis.subject import Clips, Subject
from hybrid.analysis.temporal.answers import ROUNDING, each_clip, expected_grades


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
    unit = "Hz"

    eps: float = 0.05
    """of the clip's standard deviation"""

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return len(PICTURES) * 4 * (num_frames // 2 + 1)

    def measure(self, subject: Subject, clips: Clips, batch_size: int = 16) -> Finding:
        rows = [
            {name: self.response(subject, clip_CTHW, picture, batch_size) for name, picture in PICTURES.items()}
            for clip_CTHW in each_clip(subject, clips, self.title)
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
        return Finding(figures=figures, curves=curves)

    def response(self, subject: Subject, clip_CTHW: Tensor, picture: Callable, batch_size: int) -> np.ndarray:
        """H, (F,)."""
        answer_V = expected_grades(subject, self.versions(clip_CTHW, picture(clip_CTHW)), batch_size)
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
