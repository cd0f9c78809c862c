import base64
import io

import numpy as np
from PIL import Image

from hybrid.display.films import Films, film


def test_a_film_holds_every_frame_in_its_place():
    ramp = np.linspace(0, 90, 32, dtype=np.uint8)
    frames = np.stack([np.broadcast_to(ramp + 15 * t, (32, 32)) for t in range(8)])[..., None].repeat(3, -1)
    uri = film(frames, Films(columns=3, rows=3, frames=8, rate=16.0), side=32)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,")))))
    assert sheet.shape == (96, 96)
    for t in range(8):
        down, right = divmod(t, 3)
        part = sheet[32 * down : 32 * down + 32, 32 * right : 32 * right + 32].astype(int)
        assert abs(part - frames[t, :, :, 0]).mean() < 3
