"""A clip's pictures and masks from the cell, the scene and the microscope."""

from __future__ import annotations

import numpy as np
from scipy import fft, ndimage

from hybrid.simulator.body import PARTS, Body
from hybrid.simulator.optics import WAVELENGTH, Optics, saturate, transfer
from hybrid.simulator.scene import Scene
from hybrid.simulator.settings import Settings
from hybrid.simulator.splat import splat
from hybrid.simulator.swim import Swim

MARGIN = 15
"""px rendered beyond each border; 150 + 2 x 15 is a size the Fourier transform is fast at"""
COLOURS = (0.62, 0.55, 0.47)
"""um, wavelengths of red, green and blue"""
MASK_CODES = {"head": 1, "midpiece": 2, "tail": 3}
MASK_LEVELS = {"head": 0.3, "midpiece": 0.18, "tail": 0.03}


def camera_path(swim: Swim, settings: Settings, tail_length: float, aim: np.ndarray) -> np.ndarray:
    """(T, 2) centre of the picture in um at each frame, on whole pixels.

    Aimed at the middle of head and tail, `aim` px off. Tracking is smoothed alike to past and future, so that where
    the cell is in the picture does not tell how fast it goes.
    """
    time = np.arange(settings.num_frames) / settings.frame_rate
    centre, heading, _ = swim.at(time)
    middle = centre - 0.33 * tail_length * np.stack([np.cos(heading), np.sin(heading)], -1)
    if settings.camera == "tracked":
        middle = ndimage.gaussian_filter1d(middle, 0.11 * settings.frame_rate, axis=0, mode="nearest")
    else:
        middle = np.broadcast_to(middle.mean(0), middle.shape)
    return np.round(middle / settings.um_per_px + aim) * settings.um_per_px


def exposure_times(settings: Settings) -> np.ndarray:
    """(T, S) instants of each frame's exposure, which is centred on the frame's time."""
    frame = np.arange(settings.num_frames) / settings.frame_rate
    within = ((np.arange(settings.subframes) + 0.5) / settings.subframes - 0.5) * settings.exposure
    return frame[:, None] + within


def phase_maps(body: Body, swim: Swim, camera_T2: np.ndarray, settings: Settings, offset=(0.0, 0.0)):
    """Mean phase over the exposure, per part of the cell: {part: (T, H, W)} with margins."""
    time_TS = exposure_times(settings)
    clouds = body.points(swim, time_TS.ravel())
    maps = {}
    for part, (points, weight) in clouds.items():
        pixels = _pixels(points.reshape(*time_TS.shape, -1, 2) + np.asarray(offset), camera_T2[:, None, None], settings)
        weights = np.tile(weight, settings.subframes) / (settings.um_per_px**2 * settings.subframes)
        maps[part] = splat(pixels.reshape(settings.num_frames, -1, 2), weights, settings.size + 2 * MARGIN)
    return maps


def part_masks(maps: dict[str, np.ndarray]) -> np.ndarray:
    """(T, H, W) uint8, 0 nothing, 1 head, 2 midpiece, 3 tail: where a part's mean phase is above `MASK_LEVELS`.

    A blurred tail is masked where it spent a good part of the exposure; the head hides what lies under it.
    """
    inner = slice(MARGIN, -MARGIN)
    codes = np.zeros(maps["head"][:, inner, inner].shape, np.uint8)
    for part in reversed(PARTS):
        codes[_smooth(maps[part])[:, inner, inner] > MASK_LEVELS[part]] = MASK_CODES[part]
    return codes


def _smooth(maps: np.ndarray) -> np.ndarray:
    """Binomial 3 x 3; the borders lie in the margin and do not matter."""
    across = maps[:, :, :-2] + 2 * maps[:, :, 1:-1] + maps[:, :, 2:]
    out = np.zeros_like(maps)
    out[:, 1:-1, 1:-1] = (across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]) / 16
    return out


def render(
    body: Body,
    swim: Swim,
    scene: Scene,
    optics: Optics,
    settings: Settings,
    camera_T2: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Frames (T, H, W, 3) uint8 and masks (T, H, W) uint8; `rng` is the sensor's noise."""
    maps = phase_maps(body, swim, camera_T2, settings)
    near, far = sum(maps.values()), np.zeros_like(maps["head"])
    size = near.shape[-1]
    time = np.arange(settings.num_frames) / settings.frame_rate
    for layer, (points, weight) in zip((near, far), scene.specks, strict=True):
        pixels = _pixels(points + scene.drift * time[:, None, None], camera_T2[:, None], settings)
        layer += splat(pixels, weight / settings.um_per_px**2, size)
    for other, path, offset, blurred in scene.others:
        (far if blurred else near)[:] += sum(phase_maps(other, path, camera_T2, settings, offset).values())

    spectra = [fft.rfft2(layer) for layer in (near, far)]
    field = _illumination(scene, optics, settings, camera_T2) * np.float32(optics.level)
    grain = _grain(field.shape, rng)
    frames = np.empty((*field.shape, 3), np.uint8)
    for channel, (wavelength, tint) in enumerate(zip(COLOURS, optics.tint, strict=True)):
        if not settings.colour:
            wavelength, tint = WAVELENGTH, 1.0
        shift = 1.5 * (wavelength - WAVELENGTH)  # the lens focuses colours a little apart
        kernels = [
            transfer(optics, size, settings.um_per_px, optics.defocus + shift + extra, wavelength)
            for extra in (0.0, scene.far_defocus)
        ]
        total = spectra[0] * kernels[0]
        total += spectra[1] * kernels[1]
        image = fft.irfft2(total, s=(size, size))[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
        light = (1 + saturate(image)) * field * np.float32(tint)
        own = rng.standard_normal(light.shape, np.float32) if settings.colour else None
        frames[..., channel] = _sensor(light, grain, own, optics.noise)
        if not settings.colour:
            frames[...] = frames[..., :1]
            break
    return frames, part_masks(maps)


def _pixels(points, camera, settings):
    return (points - camera) / settings.um_per_px + (settings.size - 1) / 2 + MARGIN


def _illumination(scene, optics, settings, camera_T2):
    """(T, H, W) brightness of the empty field: vignette and slope of the microscope, waves of the slide."""
    axis = (np.arange(settings.size, dtype=np.float32) / (settings.size - 1) - 0.5) * 2
    x, y = axis[None, :], axis[:, None]
    fixed = 1 - optics.vignette * (x**2 + y**2) / 2 + optics.slope[0] * x + optics.slope[1] * y
    wx = camera_T2[:, :1] + axis * settings.view / 2
    wy = camera_T2[:, 1:] + axis * settings.view / 2
    waves = np.zeros((len(camera_T2), settings.size, settings.size), np.float32)
    for kx, ky, phase, height in scene.texture:
        ax, ay = 2 * np.pi * kx * wx + phase, 2 * np.pi * ky * wy
        cx, sx, cy, sy = (f(a).astype(np.float32) for a in (ax, ay) for f in (np.cos, np.sin))
        waves += height * (sx[:, None, :] * cy[:, :, None] + cx[:, None, :] * sy[:, :, None])
    return fixed.astype(np.float32) + waves


def _grain(shape, rng):
    """Noise that neighbouring pixels and all colours share, as a colour mosaic and its interpolation make it."""
    grain = rng.standard_normal(shape, np.float32)
    grain[:, :, 1:] += 0.5 * grain[:, :, :-1]
    grain[:, 1:] += 0.5 * grain[:, :-1]
    grain *= 0.68
    return grain


def _sensor(light, grain, own, noise):
    """uint8 of one channel with shot noise, that grows with the root of the light."""
    noisy = grain if own is None else grain + np.float32(0.6) * own
    noisy = noisy * np.sqrt(np.maximum(light, 0)) * np.float32(noise / np.sqrt(140))
    noisy += light
    noisy += np.float32(0.5)
    return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)
