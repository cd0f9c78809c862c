"""A clip's pictures and masks from the cell, the scene and the microscope.

Everything in view is points that carry phase, spread over the nearest pixels of a phase map (`splat`).
"""

import numpy as np
from scipy import fft

from hybrid.data.simulated import HEAD, MIDPIECE, TAIL
from hybrid.data.tracking import TRACKING, smoothed
from hybrid.simulator.body import PARTS, Body
from hybrid.simulator.optics import WAVELENGTH, Optics, saturate, transfer
from hybrid.simulator.scene import Scene
from hybrid.simulator.settings import Settings
from hybrid.simulator.swim import Swim

MARGIN = 9
"""px rendered beyond each border; 150 + 2 x 9 is a size the Fourier transform is fast at"""
COLOURS = (0.62, 0.47)
"""um, wavelengths of red and blue"""
MASK_CODES = {"head": HEAD, "midpiece": MIDPIECE, "tail": TAIL}
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
        middle = smoothed(middle, TRACKING * settings.frame_rate)
    else:
        middle = np.broadcast_to(middle.mean(0), middle.shape)
    return np.round(middle / settings.um_per_px + aim) * settings.um_per_px


def exposure_times(settings: Settings) -> np.ndarray:
    """(T, S) instants of each frame's exposure, which is centred on the frame's time."""
    frame = np.arange(settings.num_frames) / settings.frame_rate
    within = ((np.arange(settings.subframes) + 0.5) / settings.subframes - 0.5) * settings.exposure
    return frame[:, None] + within


def phase_maps(body: Body, swim: Swim, camera_T2: np.ndarray, settings: Settings, offset=(0.0, 0.0)):
    """Mean phase over the exposure, per part of the cell: {part: (T, H, W)} with margins; of the tail (2, T, H, W),
    what of it is in focus and what is not."""
    time_TS = exposure_times(settings)
    clouds = body.points(swim, time_TS.ravel())
    maps = {}
    for part, (points, weight) in clouds.items():
        pixels = _pixels(points.reshape(*time_TS.shape, -1, 2), camera_T2[:, None, None] - offset, settings)
        weight = weight * np.float32(1 / (settings.um_per_px**2 * settings.subframes))
        if weight.ndim == 1:
            weight = np.tile(weight, settings.subframes)
        else:
            weight = weight.reshape(2, settings.num_frames, -1)
        maps[part] = splat(pixels.reshape(settings.num_frames, -1, 2), weight, settings.size + 2 * MARGIN)
    return maps


def part_masks(maps: dict[str, np.ndarray]) -> np.ndarray:
    """(T, H, W) uint8, 0 nothing, 1 head, 2 midpiece, 3 tail: where a part's mean phase is above `MASK_LEVELS`.

    A blurred tail is masked where it spent a good part of the exposure; the head hides what lies under it.
    """
    codes = None
    for part in reversed(PARTS):
        phase = maps[part].sum(0) if part == "tail" else maps[part]
        here = _smooth(phase) > MASK_LEVELS[part]
        codes = np.zeros(here.shape, np.uint8) if codes is None else codes
        codes[here] = MASK_CODES[part]
    return codes


def _smooth(maps: np.ndarray) -> np.ndarray:
    """Binomial 3 x 3, without the margins."""
    maps = maps[:, MARGIN - 1 : 1 - MARGIN, MARGIN - 1 : 1 - MARGIN]
    across = 2 * maps[:, :, 1:-1]
    across += maps[:, :, :-2]
    across += maps[:, :, 2:]
    down = 2 * across[:, 1:-1]
    down += across[:, :-2]
    down += across[:, 2:]
    down /= 16
    return down


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
    layers_LTHW = maps["tail"].copy()
    layers_LTHW[0] += maps["head"]
    layers_LTHW[0] += maps["midpiece"]
    size = layers_LTHW.shape[-1]
    time = np.arange(settings.num_frames) / settings.frame_rate
    points, weight_LP = scene.specks
    pixels = _pixels((points + scene.drift * time[:, None, None]).astype(np.float32), camera_T2[:, None], settings)
    weight_LTP = np.broadcast_to(weight_LP[:, None] / settings.um_per_px**2, (2, *pixels.shape[:2]))
    layers_LTHW += splat(pixels, weight_LTP, size)
    for other, path, offset, blurred in scene.others:
        seen = phase_maps(other, path, camera_T2, settings, offset)
        layers_LTHW[int(blurred)] += seen["head"] + seen["midpiece"]
        layers_LTHW += seen["tail"][::-1] if blurred else seen["tail"]
    kernels = _kernels(scene, optics, settings, size)
    field = _illumination(scene, optics, settings, camera_T2) * np.float32(optics.level)
    tint = np.array(optics.tint if settings.colour else [1.0], np.float32)[:, None, None]
    frames = np.empty((*field.shape, 3), np.uint8)
    for t in range(settings.num_frames):  # a frame at a time stays in the processor's cache
        light_CHW = _light(layers_LTHW[:, t], kernels)
        light_CHW *= field[t] * tint
        frames[t] = _sensor(light_CHW, optics.noise, rng).transpose(1, 2, 0)
    return frames, part_masks(maps)


def _kernels(scene, optics, settings, size):
    """A pair of transfer functions, in focus and out of it, for each wavelength that is traced."""
    wavelengths = COLOURS if settings.colour else (WAVELENGTH,)
    shift = [1.5 * (wavelength - WAVELENGTH) for wavelength in wavelengths]  # the lens focuses colours a little apart
    return [
        [
            transfer(optics, size, settings.um_per_px, optics.defocus + aberration + extra, wavelength)
            for extra in (0.0, scene.far_defocus)
        ]
        for wavelength, aberration in zip(wavelengths, shift, strict=True)
    ]


def _light(layers_LHW, kernels):
    """(3, H, W) light relative to the empty field's, or (1, H, W) without colour."""
    near, far = (fft.rfft2(layer) for layer in layers_LHW)
    inner = slice(MARGIN, -MARGIN)
    seen = []
    for in_focus, out_of_focus in kernels:
        image = fft.irfft2(near * in_focus + far * out_of_focus, s=layers_LHW.shape[1:])
        seen.append(1 + saturate(image[inner, inner]))
    if len(seen) == 2:
        seen.insert(1, 0.5 * (seen[0] + seen[1]))  # green lies between red and blue in wavelength, and so in focus
    return np.stack(seen)


def _pixels(points, camera, settings):
    """Places in px of the picture with margins, of points and camera in um."""
    origin = (settings.size - 1) / 2 + MARGIN - camera / settings.um_per_px
    return points * np.float32(1 / settings.um_per_px) + origin.astype(np.float32)


def _illumination(scene, optics, settings, camera_T2):
    """(T, H, W) brightness of the empty field: vignette and slope of the microscope, waves of the slide."""
    axis = (np.arange(settings.size, dtype=np.float32) / (settings.size - 1) - 0.5) * 2
    x, y = axis[None, :], axis[:, None]
    fixed = 1 - optics.vignette * (x**2 + y**2) / 2 + optics.slope[0] * x + optics.slope[1] * y
    kx, ky, phase, height = scene.texture.T[..., None]
    wx, wy = (camera_T2[:, i, None, None] + axis * settings.view / 2 for i in (0, 1))
    ax, ay = 2 * np.pi * kx * wx + phase, 2 * np.pi * ky * wy
    # height * sin(ax + ay), a sum of products of rows and columns
    rows = np.concatenate([height * np.sin(ax), height * np.cos(ax)], 1).astype(np.float32)
    columns = np.concatenate([np.cos(ay), np.sin(ay)], 1).astype(np.float32)
    return fixed.astype(np.float32) + columns.transpose(0, 2, 1) @ rows


def _sensor(light_CHW, noise, rng):
    """uint8 pixels (1 or 3, H, W) with shot noise, that grows with the root of the light.

    Neighbouring pixels share some of it, as a colour mosaic and its interpolation make it, and colours share most.
    """
    colours, height, width = light_CHW.shape
    grain = rng.standard_normal((height, width), np.float32)
    grain[:, 1:] += 0.5 * grain[:, :-1]
    grain[1:] += 0.5 * grain[:-1]
    root = np.sqrt(np.maximum(light_CHW[colours // 2], 0)) * np.float32(noise / np.sqrt(140))
    light_CHW += np.float32(0.68) * root * grain + np.float32(0.5)
    if colours == 3:
        coarse = rng.standard_normal((2, height // 2, width // 2), np.float32)
        light_CHW[::2] += np.float32(0.6) * root * coarse.repeat(2, 1).repeat(2, 2)
    return np.clip(light_CHW, 0, 255, out=light_CHW).astype(np.uint8)


def splat(points_TP2: np.ndarray, weight: np.ndarray, size: int) -> np.ndarray:
    """(T, size, size) sums of the weights of points (T, P, 2) given as (x, y) in px, each shared bilinearly by the
    four pixels around it; points out of view are left out.

    `weight` is (P,) or (T, P); or (L, T, P) for L pictures of the same points, (L, T, size, size).
    """
    frames, number = points_TP2.shape[:2]
    weight_LTP = np.broadcast_to(weight, (len(weight) if weight.ndim == 3 else 1, frames, number))
    total = np.empty((len(weight_LTP), frames, size * size), np.float32)
    for t in range(frames):  # a frame at a time stays in the processor's cache
        index, share_4P, inside = _corners(points_TP2[t], size)
        for layer, weight_P in zip(total, weight_LTP[:, t, inside], strict=True):
            layer[t] = np.bincount(index, (share_4P * weight_P).ravel(), size * size)
    total = total.reshape(-1, frames, size, size)
    return total if weight.ndim == 3 else total[0]


def _corners(points_P2, size):
    """The four pixels around each point in view and the (4, P) shares of its weight; which points are in view."""
    x, y = points_P2[:, 0], points_P2[:, 1]
    left, top = np.floor(x), np.floor(y)
    inside = (left >= 0) & (left < size - 1) & (top >= 0) & (top < size - 1)
    if inside.all():
        inside = slice(None)
    x, y, left, top = x[inside], y[inside], left[inside], top[inside]
    fx, fy = x - left, y - top
    gx, gy = 1 - fx, 1 - fy
    first = (top * size + left).astype(np.intp)
    index = np.concatenate([first, first + 1, first + size, first + size + 1])
    return index, np.stack([gx * gy, fx * gy, gx * fy, fx * fy]), inside
