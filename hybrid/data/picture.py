"""One decoded picture to the square that a model sees: depth, size, orientation."""

import math
from collections.abc import Iterable

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from hybrid.data.clip import ClipSpec

ACCURATE = 0x40000 | 0x2000
"""swscale's SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT: without them a grey comes out up to 2 levels off"""

DEPTHS = (8, 10, 12, 14)
"""bits that cameras give and programs store unscaled in samples of 16"""


class PictureError(ValueError):
    """The picture cannot be shown as it should be."""


class Picture:
    """Scales, turns and crops one source's frames; width and height are the source's as displayed.

    shift: how many bits samples of 16 bits are to be raised (see `unused_bits`).
    """

    def __init__(self, spec: ClipSpec, pixel_aspect, shift: int = 0):
        self.side, self.format = spec.side, "gray" if spec.channels == 1 else "rgb24"
        self.pixel_aspect = plausible_aspect(pixel_aspect)
        self.shift = shift
        self.reformatter = VideoReformatter()
        self.width = self.height = 0

    def render(self, image: av.VideoFrame) -> np.ndarray:
        """(side, side, C) uint8; raises the samples of `image` in place, so render each image once."""
        raise_samples(image, self.shift)
        width, height = round(image.width * self.pixel_aspect), image.height
        scale = self.side / min(width, height)
        size = max(self.side, round(width * scale)), max(self.side, round(height * scale))
        shown = displayed(image, size, self.format, self.reformatter)
        self.width, self.height = (height, width) if orientation(image)[0] else (width, height)
        top, left = (shown.shape[0] - self.side) // 2, (shown.shape[1] - self.side) // 2
        return shown[top : top + self.side, left : left + self.side].reshape(self.side, self.side, -1)


def plausible_aspect(pixel_aspect) -> float:
    """Width of a pixel over its height; 1 where the file says nothing, or what is no camera's (a careless header)."""
    aspect = float(pixel_aspect or 1)
    return aspect if 1 / 4 <= aspect <= 4 else 1.0


def displayed(image: av.VideoFrame, size: tuple[int, int], form: str, reformatter: VideoReformatter) -> np.ndarray:
    """The picture scaled to `size` (width, height before it is turned), then turned as its file asks for."""
    method = Interpolation.AREA if size[1] < image.height else Interpolation.BICUBIC
    if form == "rgb24" and size[1] > image.height and not image.format.name.startswith("bayer"):
        form = "gbrp"  # the same pixels, plane by plane, which swscale is three times as fast with where it enlarges
    # One thread: a picture is so small that to wait for others takes longer, and clips are decoded side by side.
    scaled = reformatter.reformat(image, *size, form, interpolation=int(method) | ACCURATE, threads=1).to_ndarray()
    transposed, mirrored, upside_down = orientation(image)
    shown = scaled.swapaxes(0, 1) if transposed else scaled
    return shown[:: -1 if upside_down else 1, :: -1 if mirrored else 1]


def orientation(image: av.VideoFrame) -> tuple[bool, bool, bool]:
    """What its display matrix says is to be done to show it, in this order: swap the axes, mirror, turn upside down.

    The matrix maps a stored point to where it is shown: x' = a x + c y, y' = b x + d y, with y downwards (QuickTime
    File Format, "Matrices"). As in the ffmpeg command, its size counts for nothing, a matrix that flattens the picture
    is ignored (some writers leave it all zero), and an angle is right within a degree. PictureError for other angles.
    """
    try:
        matrix = image.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV fails on all side data where it does not know one kind, such as a JPEG's or TIFF's Exif
        if image.rotation != 0:
            raise PictureError(
                "is to be shown turned, by metadata that cannot be read: turn its pixels instead"
            ) from None
        matrix = None
    if matrix is None:
        return False, False, False
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), "=i4").tolist()
    if a * d == b * c:
        return False, False, False
    slight = math.tan(math.radians(1))
    if abs(b) < slight * abs(a) and abs(c) < slight * abs(d):
        return False, a < 0, d < 0
    if abs(a) < slight * abs(b) and abs(d) < slight * abs(c):
        return True, c < 0, b < 0
    turn = math.degrees(math.atan2(b, a))
    raise PictureError(f"is to be shown turned by {turn:.0f} degrees; only right angles are: turn its pixels instead")


def unused_bits(images: Iterable[av.VideoFrame]) -> int:
    """How many of the upper bits no sample of 16 bits uses, so that what a 12-bit camera gave is not shown dark.

    0 where samples are not of 16 bits or all are 0; else as if the camera had the fewest of `DEPTHS` that are enough.
    No file says how many it uses where it was written so, hence they are counted.
    """
    brightest = max((int(samples.max()) for image in images for samples in _samples(image)), default=0)
    if brightest == 0:
        return 0
    return 16 - next((depth for depth in DEPTHS if brightest < 2**depth), 16)


def raise_samples(image: av.VideoFrame, bits: int) -> None:
    """Make samples of 16 bits brighter, in place, by as many bits as `unused_bits` counted."""
    if bits:
        image.make_writable()
        for samples in _samples(image):
            samples <<= bits


def _samples(image: av.VideoFrame) -> list[np.ndarray]:
    """Views of all samples but transparency where they are integers of 16 bits, else none."""
    parts = image.format.components
    if any(part.bits != 16 for part in parts) or "f16" in image.format.name:
        return []
    order = ">u2" if image.format.name.endswith("be") else "<u2"  # PyAV's is_big_endian is False for gray16be
    views = []
    for number, plane in enumerate(image.planes):
        inside = [part.is_alpha for part in parts if part.plane == number]
        rows = np.frombuffer(plane, order).reshape(plane.height, -1)[:, : plane.width * len(inside)]
        colours_HWC = rows.reshape(plane.height, plane.width, len(inside))[..., : inside.count(False)]  # alpha is last
        if colours_HWC.size:
            views.append(colours_HWC)
    return views
