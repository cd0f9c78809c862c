"""What of a cell is visible, how plainly, and what it does: all by which one preset's clips differ from another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hybrid.simulator.events import PlainEvents, draw_event
from hybrid.simulator.form import STANDARD_SIGNS, Signs
from hybrid.simulator.motion import CLINIC_FAMILIES, FAMILIES, Families
from hybrid.simulator.optics import Optics
from hybrid.simulator.settings import Settings


@dataclass(frozen=True)
class Look:
    """The defaults are those of `standard`."""

    microscope: str = "hoffman"
    """where the settings name none"""
    magnification: float = 1.0
    """of what Settings.um_per_px says"""
    exposure: float = 1.0
    """times Settings.exposure: a long one blurs a fast tail in every frame"""
    contrast: float = 1.0
    """times the microscope's gain"""
    defocus: float = 1.0
    """times its defocus"""
    aim: float = 1.0
    """how far behind the head the camera looks, of a third of the tail"""
    signs: Signs = STANDARD_SIGNS
    families: Families = field(default_factory=lambda: FAMILIES)
    draw_event: Callable = draw_event
    low_pass: float = 3.0
    """px, standard deviation of a blur of a 150 px picture that leaves motion and hardly any of form: see gate (b)"""
    motion_mean: float = 1.027
    motion_sd: float = 0.737
    """of log(1 + VSL / 8 um/s) over cells and donors; measured once on 12000 cells"""
    event_share: float = 0.751
    """of the cells, which alone can have an event"""

    def camera(self, settings: Settings) -> Settings:
        """The settings a clip is taken with."""
        return replace(
            settings,
            um_per_px=settings.um_per_px / self.magnification,
            exposure=min(settings.exposure * self.exposure, 1 / settings.frame_rate),
        )

    def optics(self, optics: Optics) -> Optics:
        """The microscope as it is set up."""
        return replace(optics, gain=optics.gain * self.contrast, defocus=optics.defocus * self.defocus)


STANDARD = Look()
CLINIC = Look(
    microscope="phase",
    magnification=1.6,
    exposure=4.0,
    contrast=1.4,
    defocus=0.3,
    aim=0.7,
    signs=Signs(
        shares=(0.10, 0.05, 0.80, 0.05),
        vacuole=(0.26, 0.20),
        grain=(0.0, 1.1),
        grain_um=1.6,
        even_grain=True,
        cap=(0.35, 0.30),
        tail=(2.0, 2.8),
    ),
    families=CLINIC_FAMILIES,
    draw_event=PlainEvents(turn=0.28, pace=0.85),
    low_pass=4.8,
    motion_mean=1.360,
    motion_sd=0.663,
    event_share=0.827,
)
