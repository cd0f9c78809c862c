"""Heads found without boxes: a simple detector for clean bright-field or phase-contrast fields, and no more than that.

A pixel's distance from the picture's median grey, dark or bright, is what heads have much of. trackpy's `locate`
(Crocker & Grier 1996) takes off noise and uneven light by a band-pass and finds peaks of a head's size, to parts of a
pixel. It takes round debris for heads, and touching heads for one; tails, out-of-focus cells and clumps confuse it.
"""

from __future__ import annotations

from array import array

import numpy as np
import pandas as pd
import trackpy
from sklearn.cluster import KMeans

from hybrid.errors import UserError
from hybrid.field.boxes import COLUMNS
from hybrid.field.video import FieldVideo, pictures

LOOKED = 8
"""frames, spread over the video, that tell heads from noise"""


def detect(video: FieldVideo, head_px: float, deinterlace: bool = False) -> tuple[pd.DataFrame, str]:
    """Boxes of heads of about this diameter in every frame, without ids, and what was done, in words."""
    if not 5 <= head_px <= min(video.width, video.height) / 4:
        raise UserError(f"a head's diameter must be from 5 px to a quarter of the picture, not {head_px:g} px")
    diameter = 2 * round((head_px - 1) / 2) + 1  # trackpy wants it odd
    trackpy.quiet()
    looked = set(np.linspace(0, len(video.times_N) - 1, LOOKED).round().astype(int).tolist())
    samples = [_peaks(p, diameter, 0) for n, p in enumerate(pictures(video, deinterlace)) if n in looked]
    least = _least_mass(np.concatenate([peaks[:, 2] for peaks in samples]), video)
    places = array("d")
    for frame, picture_HWC in enumerate(pictures(video, deinterlace, "detecting")):
        for x, y, _ in _peaks(picture_HWC, diameter, least):
            places.extend((frame, x, y))
    frame_N, x_N, y_N = np.array(places).reshape(-1, 3).T
    values = (frame_N.astype(int), x_N, y_N, float(diameter), float(diameter), None, "")
    return (
        pd.DataFrame(dict(zip(COLUMNS, values, strict=True))),
        f"no boxes given: heads of {diameter} px found by a simple detector, which takes round debris for heads",
    )


def _peaks(picture_HWC: np.ndarray, diameter: int, least: float) -> np.ndarray:
    """(N, 3) x, y and mass (summed grey levels) of the peaks of at least this mass."""
    grey_HW = picture_HWC.mean(axis=2)
    far_HW = np.abs(grey_HW - np.median(grey_HW)).round().astype(np.uint8)
    found = trackpy.locate(far_HW, diameter, minmass=least, characterize=False)
    return found[["x", "y", "mass"]].to_numpy(float).reshape(-1, 3)


def _least_mass(masses: np.ndarray, video: FieldVideo) -> float:
    """Between those of noise and those of heads: the middle, in logarithms, of two clusters."""
    masses = masses[masses > 0]
    if len(masses) < 2:
        raise UserError(f"{video.path}: no heads can be found in it; give boxes with --boxes")
    clusters = KMeans(2, n_init=1, random_state=0).fit(np.log(masses)[:, None])
    return float(np.exp(clusters.cluster_centers_.mean()))
