"""A clip's frames as one picture, which the page plays."""

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
    """The frames of `film_sheet` as a data URI."""
    return data_uri(film_sheet(frames_THWC, films, side), "jpeg", quality=80)


def film_sheet(frames_THWC: NDArray[np.uint8], films: Films, side: int) -> Image.Image:
    """All frames of a clip in one picture, row by row from the top left; side: px of a frame at most."""
    sheet = side_by_side(np.asarray(frames_THWC), films)
    # RGB frames of a grey film need no colour.
    grey = sheet.shape[2] == 1 or (sheet == sheet[:, :, :1]).all()
    image = Image.fromarray(sheet[:, :, 0] if grey else sheet)
    if side < frames_THWC.shape[1]:
        return image.resize((films.columns * side, films.rows * side), Image.Resampling.BOX)
    return image


def side_by_side(frames_THWC: NDArray[np.uint8], films: Films) -> NDArray[np.uint8]:
    """(rows H, columns W, C), zero in the places that are left over."""
    padding = films.columns * films.rows - len(frames_THWC)
    frames_THWC = np.pad(frames_THWC, ((0, padding), (0, 0), (0, 0), (0, 0)))
    return rearrange(frames_THWC, "(rows columns) h w c -> (rows h) (columns w) c", columns=films.columns)


def data_uri(image: Image.Image, form: str, **options) -> str:
    data = io.BytesIO()
    image.save(data, form, **options)
    return f"data:image/{form};base64,{base64.b64encode(data.getvalue()).decode()}"
