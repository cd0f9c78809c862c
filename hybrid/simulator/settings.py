"""How a clip is taken (size, rate, exposure, microscope and camera), and what tools/simulate.py can be told."""

from dataclasses import dataclass, field, fields, make_dataclass
from typing import get_type_hints

from hybrid.errors import UserError
from hybrid.simulator.optics import MICROSCOPES

CAMERAS = ("tracked", "fixed")


@dataclass(frozen=True)
class Settings:
    """Bad values are a UserError that names them."""

    size: int = 150
    """px, width and height"""
    num_frames: int = 16
    frame_rate: float = 16.0
    um_per_px: float = 0.38
    exposure: float = 1 / 500
    """s the shutter is open; the cell moves meanwhile"""
    subframes: int = 16
    """instants an exposure is averaged over"""
    microscope: str | None = None
    """hoffman, phase, bright, or mixed: one of them a donor; by default the preset's"""
    camera: str = "tracked"
    """tracked: the picture follows the cell; fixed: the cell crosses it (where it starts then betrays its speed)"""
    colour: bool = True

    def __post_init__(self):
        def check(name, good, wish):
            if not good:
                raise UserError(f"{name} must be {wish}, not {getattr(self, name)!r}")

        check("size", 32 <= self.size <= 1024 and self.size % 2 == 0, "an even number of pixels from 32 to 1024")
        check("num_frames", 2 <= self.num_frames <= 512, "from 2 to 512")
        check("frame_rate", 1 <= self.frame_rate <= 1000, "from 1 to 1000 frames a second")
        check("um_per_px", 0.05 <= self.um_per_px <= 5, "from 0.05 to 5 um")
        check("exposure", 0 < self.exposure <= 1 / self.frame_rate, f"above 0 and at most 1/{self.frame_rate:g} s")
        check("subframes", 1 <= self.subframes <= 64, "from 1 to 64")
        known = self.microscope in (None, *MICROSCOPES, "mixed")
        check("microscope", known, f"one of {', '.join(MICROSCOPES)}, mixed")
        check("camera", self.camera in CAMERAS, f"one of {', '.join(CAMERAS)}")

    @property
    def duration(self) -> float:
        """s from the first frame to one frame after the last."""
        return self.num_frames / self.frame_rate

    @property
    def view(self) -> float:
        """um, width and height of the picture."""
        return self.size * self.um_per_px


CameraConfig = make_dataclass(
    "CameraConfig", [(f.name, get_type_hints(Settings)[f.name], f.default) for f in fields(Settings)]
)
"""`Settings` that Hydra can fill in, one by one: of a frozen class it lets no value be changed"""


@dataclass
class SimulateConfig:
    """What tools/simulate.py can be told: one data set, or the checks of the simulator. Unknown keys are refused."""

    root: str = "data/simulated"
    preset: str = "clinic"
    num_clips: int = 615
    seed: int = 0
    workers: int | None = None
    gates: bool = False
    benchmark: bool = False
    beside: str | None = None
    settings: CameraConfig = field(default_factory=CameraConfig)
