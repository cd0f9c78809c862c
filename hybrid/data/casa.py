"""The figures of computer-aided sperm analysis (CASA) of a path of the head.

Formulas as in OpenCASA (Alquezar-Baeta et al., PLoS Comput Biol 15 (2019) e1006691): VCL is the length of the path as
sampled over its time, VAP that of the moving average, VSL the distance of its ends; LIN = VSL/VCL, STR = VSL/VAP,
WOB = VAP/VCL; ALH is twice the distance of the path from its average, its mean over the local maxima; BCF the
crossings of path and average a second, two a beat of a cell that does not roll. All depend on the rate of sampling:
the same cell is slower at 16 fps.
"""

import numpy as np

FIGURES = ("vcl", "vsl", "vap", "lin", "str", "wob", "alh", "bcf")


def casa(path_T2: np.ndarray, rate: float, window: float = 1 / 6) -> dict[str, float]:
    """VCL, VSL, VAP (um/s), LIN, STR, WOB (fractions), ALH (um), BCF (Hz).

    path_T2: positions of the head in um, `rate` samples a second. window: seconds of the moving average, which is made
    of an odd number of samples and shrinks towards the ends.
    """
    path = np.asarray(path_T2, float)
    if path.ndim != 2 or path.shape[1] != 2 or len(path) < 3:
        raise ValueError(f"expected a path of at least 3 positions, got shape {path.shape}")
    seconds = (len(path) - 1) / rate
    average = average_path(path, rate, window)
    vcl = _length(path) / seconds
    vap = _length(average) / seconds
    vsl = float(np.linalg.norm(path[-1] - path[0])) / seconds
    alh, bcf = _lateral(path, average, seconds)
    return dict(
        vcl=vcl, vsl=vsl, vap=vap, lin=_ratio(vsl, vcl), str=_ratio(vsl, vap), wob=_ratio(vap, vcl), alh=alh, bcf=bcf
    )


def average_path(path_T2: np.ndarray, rate: float, window: float) -> np.ndarray:
    """(T, 2) centred moving average; near the ends over fewer samples, as many on either side."""
    half = max(1, int(round((window * rate - 1) / 2)))
    total = np.concatenate([np.zeros((1, 2)), np.cumsum(path_T2, 0)])
    index = np.arange(len(path_T2))
    reach = np.minimum(half, np.minimum(index, len(path_T2) - 1 - index))
    return (total[index + reach + 1] - total[index - reach]) / (2 * reach + 1)[:, None]


def seen_frequency(hertz, frame_rate: float):
    """The frequency at which a beat seems to run at this frame rate; negative: it seems to run tip to head."""
    return (np.asarray(hertz, float) + frame_rate / 2) % frame_rate - frame_rate / 2


def _lateral(path, average, seconds) -> tuple[float, float]:
    """ALH and BCF from the signed distance of the path to its average."""
    direction = np.gradient(average, axis=0)
    norm = np.linalg.norm(direction, axis=1)
    if norm.max() < 1e-9:
        return 0.0, 0.0
    normal = np.stack([-direction[:, 1], direction[:, 0]], 1) / np.maximum(norm, 1e-9)[:, None]
    distance = ((path - average) * normal).sum(1)[1:-1]  # the ends of path and average coincide
    size = np.abs(distance)
    peak = np.flatnonzero((size[1:-1] >= size[:-2]) & (size[1:-1] >= size[2:]) & (size[1:-1] > 1e-9)) + 1
    alh = 2 * float(size[peak].mean()) if len(peak) else 2 * float(size.max())
    side = np.sign(distance[np.abs(distance) > 1e-9])
    return alh, float((side[1:] != side[:-1]).sum()) / seconds


def _length(path) -> float:
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
