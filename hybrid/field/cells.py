"""The cells of a field video: their tracks, the windows to be cut out, and why a track gives none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hybrid.data.casa import FIGURES
from hybrid.data.clip import ClipError, ClipSpec
from hybrid.errors import UserError
from hybrid.field.box_files import read_boxes
from hybrid.field.boxes import of_classes, typical_side
from hybrid.field.interlacing import ORDERS
from hybrid.field.settings import Settings
from hybrid.field.tracks import PAUSE, Rules, Track, figures, tracks_of
from hybrid.field.video import FieldVideo, look_through, pictures
from hybrid.field.windows import Camera, Window, why_none, windows_of

SPEED = 30.0
"""times the typical box's longer side that a head may move in a second, where nothing else is said: with a head of 5 um
150 um/s, the fastest sperm there are; boxes are larger than heads, which leaves room for how they tremble"""


@dataclass(frozen=True, eq=False)
class Cells:
    """windows: of each track by its number. left_out: why a track has none. notes: what is odd, a sentence each.
    read: what was read and found, in words."""

    video: FieldVideo
    camera: Camera
    settings: Settings
    tracks: tuple[Track, ...]
    windows: dict[int, list[Window]]
    left_out: dict[int, str]
    read: str
    notes: tuple[str, ...]

    @property
    def all_windows(self) -> list[Window]:
        """In the order of their tracks."""
        return [window for some in self.windows.values() for window in some]

    @property
    def counts(self) -> str:
        """How many tracks have windows, and why the others have none."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(self.left_out.values()).most_common())
        used, unused = len(self.tracks) - len(self.left_out), len(self.left_out)
        return f"{used} tracks; left out {unused}" + (f": {reasons}" if reasons else "")

    def pictures(self, doing: str) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8, of every frame of the video. doing: for the progress bar."""
        return pictures(self.video, self.settings.deinterlace, doing)

    def row(self, track: Track) -> dict[str, Any]:
        """Of a table of tracks. CASA figures are of the longest unbroken part."""
        part = track.longest(self.video)
        times_T = self.video.times_N[part.first : part.last + 1]
        return {
            "video": self.video.path.name,
            "track": track.number,
            "id": track.identity,
            "first_s": self.video.times_N[track.first],
            "last_s": self.video.times_N[track.last],
            "boxes": track.boxes,
            "gaps": track.gaps,
            "jumps": track.jumps,
            "part_first_s": times_T[0],
            "part_last_s": times_T[-1],
            "part_bridged": part.bridged,
            **self.casa(part.path_T2, times_T),
        }

    def casa(self, path_T2: np.ndarray, times_T: np.ndarray) -> dict[str, Any]:
        """CASA figures of a path in px, with their unit and rate."""
        found = figures(path_T2, times_T, self.settings.um_per_px)
        unit = "px" if self.settings.um_per_px is None else "um"
        return {"unit": unit, "frame_rate": self.video.rate, **{name: found[name] for name in FIGURES}}


def find_cells(path: Path, boxes: Path | None, clip: ClipSpec, settings: Settings) -> Cells:
    """clip: how many frames a window has, and how many a second. boxes: a file or folder; None: heads are detected.

    A UserError for whatever is wrong with the video or its boxes.
    """
    if boxes is not None and settings.head_px is not None:
        raise UserError("--boxes and --detect: give one of them; heads are found where there are no boxes")
    if boxes is None and settings.head_px is None:
        raise UserError("give boxes with --boxes, or the diameter of heads with --detect, so that they are found")
    video = look_through(path)
    if video.interval > clip.times[-1]:
        raise ClipError(
            path,
            f"has a frame every {video.interval:.3g} s, so that a clip of {clip.seconds:.3g} s shows a single one: "
            "if its frame rate is wrong, save it with the camera's",
        )
    camera = Camera(settings.side, settings.camera, clip)
    if settings.side > min(video.width, video.height):
        raise UserError(f"{path}: of {video.width}x{video.height} px no clip of {settings.side} px can be cut")
    if boxes is None:
        from hybrid.field.detecting import detect  # here, for trackpy takes 80 MB and a second

        table, read = detect(video, settings.head_px, settings.deinterlace)
    else:
        table, read = read_boxes(boxes, video, settings.first_frame)
    table = of_classes(table, settings.classes, f"the boxes of {path.name}")
    rules = Rules(settings.max_speed or SPEED * typical_side(table), settings.max_gap)
    if table["id"].isna().all():
        from hybrid.field.linking import linked  # here, for the same reason

        table, read = linked(table, video, rules), f"{read}; without ids, linked by trackpy"
    tracks = tuple(tracks_of(table, video, rules))
    windows = {track.number: _spread(windows_of(track, video, camera), settings.most) for track in tracks}
    return Cells(
        video,
        camera,
        settings,
        tracks,
        windows,
        {track.number: why_none(track, video, camera) for track in tracks if not windows[track.number]},
        f"{path.name}: {video.width}x{video.height} px, {video.times_N[-1]:.1f} s at {video.rate:.4g} frames a second; "
        f"{read}; {len(table)} boxes, {len(tracks)} tracks (up to {rules.max_speed:.0f} px/s)",
        tuple(_oddities(video, clip, settings)),
    )


def _oddities(video: FieldVideo, clip: ClipSpec, settings: Settings) -> list[str]:
    notes = list(video.notes)
    if video.interlaced and not settings.deinterlace:
        notes.append(
            f"is interlaced ({ORDERS[video.interlaced]}), which mixes two moments in a picture and shakes boxes: "
            "crop with --deinterlace"
        )
    if settings.deinterlace and not video.interlaced:
        notes.append("is not interlaced, so --deinterlace leaves it as it is")
    if video.rate < 0.98 * clip.frame_rate:
        notes.append(
            f"has {video.rate:.3g} frames a second, so that frames repeat in clips at {clip.frame_rate:g} a second, "
            "and speeds along the path are too low"
        )
    gaps = np.diff(video.times_N)
    if gaps.max() > PAUSE * video.interval:
        notes.append(f"has no frame for {gaps.max():.2f} s after {video.times_N[gaps.argmax()]:.2f} s")
    return notes


def _spread(windows: list[Window], most: int) -> list[Window]:
    if not most or len(windows) <= most:
        return windows
    return [windows[i] for i in np.linspace(0, len(windows) - 1, most).round().astype(int)]
