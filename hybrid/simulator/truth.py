"""What is true of a clip and no camera shows: one row of figures, and the path."""

from dataclasses import asdict

import numpy as np

from hybrid.data.casa import FIGURES, casa, seen_frequency
from hybrid.simulator.clip import Cell
from hybrid.simulator.form import PARTS
from hybrid.simulator.panel import GRADES, NUM_RATERS
from hybrid.simulator.quality import steady_figures
from hybrid.simulator.settings import Settings
from hybrid.simulator.swim import Swim

TRUE_RATE = 64.0
"""samples a second of the 'true' CASA figures: about what CASA instruments take (50-60), so comparable with them"""


def truth_row(cell: Cell, path: Swim, settings: Settings) -> dict:
    """One row of truth.csv. Speeds in um/s, frequencies in Hz, lengths in um. CASA figures: of the clip
    at `TRUE_RATE`, `*_seen` at its frame rate, `*_steady` of the same cell without event or Brownian motion."""
    form, beat, event = cell.form, cell.beat, cell.event
    return {
        "donor": cell.donor,
        **{f"quality_{name}" if name != "q" else "quality": value for name, value in asdict(cell.quality).items()},
        **{f"expected_{grade}": p for grade, p in zip(GRADES, cell.expected, strict=True)},
        "oracle_mse": oracle(cell),
        "motion": beat.kind,
        "tail_family": beat.family,
        "beat_hz": beat.frequency,
        "beat_hz_seen": float(seen_frequency(beat.frequency, settings.frame_rate)),
        "amplitude": beat.amplitude,
        "wavelength": beat.wave.wavelength,
        "bend": beat.bend,
        "roll_hz": beat.roll_hz,
        "tail_length": beat.wave.length,
        "head": form.head,
        "tail": form.tail,
        **{f"score_{name}": form.scores[name] for name in PARTS},
        "head_length": form.length,
        "head_width": form.width,
        "acrosome": form.acrosome,
        "vacuoles": len(form.vacuoles),
        "grain": form.grain,
        "droplet": form.droplet,
        "neck_angle": form.neck_angle,
        "event": event.kind,
        "event_sign": event.sign,
        **event_frames(cell, settings),
        **_casa(path, settings),
        **{f"{name}_steady": v for name, v in steady_figures(beat, form.length, form.width).items()},
        "microscope": cell.optics.microscope,
        "defocus": cell.optics.defocus,
    }


def event_frames(cell: Cell, settings: Settings) -> dict[str, int]:
    """The frames nearest to the event's two moments, -1 where there is none."""
    event, last = cell.event, settings.num_frames - 1
    if event.kind == "none":
        return {"event_first": -1, "event_second": -1}
    first, second = (int(np.clip(round(t * settings.frame_rate), 0, last)) for t in (event.first, event.second))
    return {"event_first": first, "event_second": second}


def path_rows(path: Swim, camera_T2: np.ndarray, settings: Settings) -> list[dict]:
    """The head's centre a frame: in the world (um, from the first frame on), heading (rad), in the picture (px)."""
    time = np.arange(settings.num_frames) / settings.frame_rate
    place, heading, _ = path.at(time)
    pixel = (place - camera_T2) / settings.um_per_px + (settings.size - 1) / 2
    columns = ("frame", "time", "x_um", "y_um", "heading", "x_px", "y_px")
    rows = zip(range(settings.num_frames), time, *place.T, heading, *pixel.T, strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


TAIL_POINTS, ALONG_TAIL = 9, (3, 6, 8)
"""the tail in as many equal pieces, and those of them whose middles are told a frame"""


def frame_series(path: Swim, settings: Settings) -> dict[str, np.ndarray]:
    """What `path_rows` has not, a frame: three points of the tail from the head's centre, (T, 3, 2) um in the picture's
    axes; the beat's amplitude and the tail's mean bend (1/um), (T,)."""
    time = np.arange(settings.num_frames) / settings.frame_rate
    _, heading, _ = path.at(time)
    cos, sin = np.cos(heading), np.sin(heading)
    to_picture_T22 = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)
    return {
        "tail": path.tail_at(time, TAIL_POINTS)[:, ALONG_TAIL] @ to_picture_T22,
        "amplitude": np.interp(time, path.time_T, path.amplitude_T),
        "bend": np.interp(time, path.time_T, path.bend_T),
    }


def oracle(cell: Cell) -> float:
    """Expected MSE (mean over grades) of the best possible prediction of this clip's vote fractions: their chance.

    Of the panel's expected distribution p and R raters, (1 - sum p^2) / (K R): an upper bound, as raters differ.
    """
    return float((1 - np.sum(cell.expected**2)) / (len(GRADES) * NUM_RATERS))


def _casa(path: Swim, settings: Settings) -> dict[str, float]:
    end = (settings.num_frames - 1) / settings.frame_rate
    rows = {}
    for suffix, rate in (("", TRUE_RATE), ("_seen", settings.frame_rate)):
        time = np.arange(int(np.floor(end * rate + 1e-9)) + 1) / rate
        figures = casa(path.at(time)[0], rate) if len(time) > 2 else dict.fromkeys(FIGURES, float("nan"))
        rows |= {f"{name}{suffix}": figures[name] for name in FIGURES}
    return rows
