"""How a field video is cropped, and how a command line says it."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

from hybrid.data.numbers import typed_number
from hybrid.errors import UserError
from hybrid.files import typed_path

CAMERAS = ("tracked", "fixed")


@dataclass(frozen=True)
class Settings:
    """How to crop. side: px of a clip. um_per_px: the size of a pixel, where known. max_speed: px/s (None: SPEED).
    max_gap: s. classes: labels of the boxes of sperm. first_frame: number of the first frame in files of boxes.
    most: clips of a track, 0: as many as there is room for. donors: a table of whose each video is.
    head_px: the diameter of heads to be found where there are no boxes.
    """

    side: int = 150
    camera: str = "tracked"
    um_per_px: float | None = None
    max_speed: float | None = None
    max_gap: float = 0.2
    classes: tuple[str, ...] = ()
    first_frame: int | None = None
    most: int = 0
    deinterlace: bool = False
    donors: Path | None = None
    head_px: float | None = None

    def __post_init__(self):
        def check(name, good, wish):
            if not good:
                raise UserError(f"{name} must be {wish}, not {getattr(self, name)!r}")

        check("side", 16 <= self.side <= 2048 and self.side % 2 == 0, "an even number of pixels from 16 to 2048")
        check("camera", self.camera in CAMERAS, f"one of {', '.join(CAMERAS)}")
        check("um_per_px", self.um_per_px is None or 0.01 <= self.um_per_px <= 20, "from 0.01 to 20 um")
        check("max_speed", self.max_speed is None or self.max_speed > 0, "above 0 px a second")
        check("max_gap", 0 <= self.max_gap <= 1, "from 0 to 1 s")
        check("first_frame", self.first_frame in (None, 0, 1), "0 or 1")
        check("head_px", self.head_px is None or self.head_px > 0, "above 0 px")
        check("most", self.most >= 0, "0 or more")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What a program for field videos can be told of them; `settings_of` understands it."""
    parser.add_argument("--boxes", type=typed_path, help="file or folder of the boxes")
    parser.add_argument("--detect", type=typed_number, metavar="PX", help="find heads of this diameter instead, simply")
    parser.add_argument("--um-per-px", type=typed_number, help="size of a pixel, in um")
    parser.add_argument("--side", type=int, help="px of a clip (default: 150)")
    parser.add_argument("--side-um", type=typed_number, help="the same in um")
    parser.add_argument("--camera", default="tracked", choices=CAMERAS, help="(default: %(default)s)")
    parser.add_argument(
        "--classes", nargs="+", default=[], help="of the boxes, those of sperm (where there are several)"
    )
    parser.add_argument("--first-frame", type=int, choices=(0, 1), help="number of the first frame in files of boxes")
    parser.add_argument("--max-speed", type=typed_number, help="px/s (default: 30 boxes a second)")
    parser.add_argument("--max-gap", type=typed_number, default=0.2, help="s (default: %(default)s)")
    parser.add_argument("--deinterlace", action="store_true", help="before cropping")


def settings_of(options: argparse.Namespace, **more) -> Settings:
    """more: settings that are not among `add_arguments`."""
    return Settings(
        side=_side(options),
        camera=options.camera,
        um_per_px=options.um_per_px,
        max_speed=options.max_speed,
        max_gap=options.max_gap,
        classes=tuple(options.classes),
        first_frame=options.first_frame,
        deinterlace=options.deinterlace,
        head_px=options.detect,
        **more,
    )


def _side(options: argparse.Namespace) -> int:
    """px, even."""
    if options.side_um is None:
        return 150 if options.side is None else options.side
    if options.side is not None:
        raise UserError("--side and --side-um: give one of them")
    if not options.um_per_px or options.um_per_px <= 0:
        raise UserError("--side-um needs the size of a pixel: give --um-per-px")
    pixels = options.side_um / options.um_per_px
    return 2 * round(pixels / 2) if math.isfinite(pixels) else 0
