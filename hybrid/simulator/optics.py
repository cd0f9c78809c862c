"""From the phase a cell gives the light to what the camera sees.

A thin cell is a weak phase object: the image's contrast is its phase map filtered by the microscope, so that every
kind of microscope is one transfer function over spatial frequency (Goodman, Introduction to Fourier Optics, chapter 6;
for phase contrast and defocus, Born and Wolf 8.6). All share the point spread of the lens and its defocus.
"""

from dataclasses import dataclass

import numpy as np

MICROSCOPES = ("hoffman", "phase", "bright")
WAVELENGTH = 0.55
"""um, green"""


@dataclass(frozen=True)
class Optics:
    """One microscope as set up for one donor. `defocus` in um, `shear` in rad, `halo` in um."""

    microscope: str
    gain: float
    resolution: float
    """um, standard deviation of the point spread"""
    defocus: float
    shear: float
    halo: float
    tint: tuple[float, float, float]
    """brightness of the empty field in red, green and blue, mean 1"""
    quantiser: int
    """of the camera's own MPEG-4 encoder: 2 leaves fine noise, 3 makes blotches of it"""
    level: float
    """grey level of the empty field, 0-255"""
    noise: float
    """grey levels of noise at that level"""
    vignette: float
    slope: tuple[float, float]


def draw_optics(rng: np.random.Generator, microscope: str, colour: bool) -> Optics:
    """The settings of one microscope; `microscope` may be 'mixed'."""
    if microscope == "mixed":
        microscope = MICROSCOPES[rng.integers(len(MICROSCOPES))]
    # the green-brown of halogen light in a bright field, the near grey of the others
    strength = {"bright": 1.0, "hoffman": 0.6, "phase": 0.3}[microscope] if colour else 0.0
    tint = 1 + strength * (np.array([0.0, 0.022, -0.022]) + rng.normal(size=3) * 0.012)
    return Optics(
        microscope=microscope,
        gain={"hoffman": 0.50, "phase": 0.50, "bright": 0.62}[microscope] * float(rng.uniform(0.85, 1.2)),
        resolution=float(rng.uniform(0.22, 0.30)),
        defocus=float(rng.normal() * 0.3),
        shear=float(rng.uniform(0, 2 * np.pi)),
        halo=float(rng.uniform(2.2, 3.5)),
        tint=tuple(float(t) for t in tint / tint.mean()),
        quantiser=int(rng.choice([2, 3])),
        level=float({"hoffman": 132, "phase": 148, "bright": 152}[microscope] + rng.normal() * 8),
        noise=float(rng.uniform(1.4, 2.6)),
        vignette=float(rng.uniform(0.02, 0.10)),
        slope=tuple(float(v) for v in rng.normal(size=2) * 0.035),
    )


def transfer(optics: Optics, size: int, um_per_px: float, defocus: float, wavelength: float = WAVELENGTH) -> np.ndarray:
    """(size, size // 2 + 1) filter that turns the phase map into contrast, for scipy.fft.rfft2."""
    kx = np.fft.rfftfreq(size, um_per_px).astype(np.float32)[None, :]
    ky = np.fft.fftfreq(size, um_per_px).astype(np.float32)[:, None]
    k2 = kx**2 + ky**2
    spread = np.exp(-2 * np.pi**2 * k2 * (optics.resolution**2 + (0.10 * defocus) ** 2))
    wave = np.pi * wavelength * defocus * k2
    if optics.microscope == "hoffman":
        # shading by the slope of the phase along the shear, and a little of the phase itself
        along = kx * np.cos(optics.shear) + ky * np.sin(optics.shear)
        kernel = 2j * np.pi * along * np.cos(wave) * 0.75 - 0.25 * np.cos(wave)
    elif optics.microscope == "phase":
        # dark cells; what is wider than the halo is not retarded against its own surround and grows bright
        kernel = -(1 - 0.85 * np.exp(-2 * np.pi**2 * k2 * optics.halo**2)) * np.cos(wave)
    else:
        # absorption, and the phase seen through defocus
        kernel = -0.55 * np.cos(wave) - 1.1 * np.sin(np.pi * wavelength * (2.2 + defocus) * k2)
    return (kernel * spread * optics.gain).astype(np.complex64)


def saturate(contrast: np.ndarray) -> np.ndarray:
    """Contrast as light: strong phase does not go on darkening or brightening."""
    return contrast / (1 + np.float32(0.25) * np.abs(contrast))
