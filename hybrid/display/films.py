"""A clip's frames as one picture, which the page plays."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass

import numpy as np
from einops import rearrange
from numpy.typing import NDArray
from PIL import Image

from hybrid.data.clip import ClipSpec


@dataclass(frozen=True)
class Films:
    """What is the same for all films."""

    columns: int
    rows: int
    frames: int
    rate: float


def film_layout(spec: ClipSpec) -> Films:
    columns = math.ceil(math.sqrt(spec.num_frames))
    return Films(columns, math.ceil(spec.num_frames / columns), spec.num_frames, spec.frame_rate)


def film(frames_THWC: NDArray[np.uint8], films: Films, side: int) -> str:
    """All frames of a clip in one JPEG, row by row from the top left, as a data URI."""
    frames_THWC = np.asarray(frames_THWC)
    padding = films.columns * films.rows - len(frames_THWC)
    frames_THWC = np.concatenate([frames_THWC, np.zeros_like(frames_THWC[:1]).repeat(padding, 0)])
    sheet = rearrange(frames_THWC, "(rows columns) h w c -> (rows h) (columns w) c", columns=films.columns)
    # RGB frames of a grey film need no colour.
    grey = sheet.shape[2] == 1 or (sheet == sheet[:, :, :1]).all()
    image = Image.fromarray(sheet[:, :, 0] if grey else sheet)
    if side < frames_THWC.shape[1]:
        image = image.resize((films.columns * side, films.rows * side), Image.Resampling.BOX)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
