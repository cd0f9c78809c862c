"""What tools/simulate.py can be told; unknown keys are refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from hybrid.simulator.settings import Settings


@dataclass
class CameraConfig:
    """As hybrid.simulator.settings.Settings."""

    size: int = 150
    num_frames: int = 16
    frame_rate: float = 16.0
    um_per_px: float = 0.38
    exposure: float = 0.002
    subframes: int = 16
    microscope: str = "hoffman"
    camera: str = "tracked"
    colour: bool = True

    def settings(self) -> Settings:
        return Settings(**{name: getattr(self, name) for name in Settings.__dataclass_fields__})


@dataclass
class SimulateConfig:
    """One data set, or the checks of the simulator."""

    root: str = "data/simulated"
    preset: str = "standard"
    num_clips: int = 615
    seed: int = 0
    workers: int | None = None
    gates: bool = False
    benchmark: bool = False
    beside: str | None = None
    settings: CameraConfig = field(default_factory=CameraConfig)
