"""Field videos to a data set: the folder that tools/crop.py writes.

clips/               a clip a window: <video>-<track>-<window>.mp4
clips.csv            a row a clip: its group, video (and the SHA-256 of its file), track and time, and its CASA figures
tracks.csv           a row a track: its figures, how many clips were cut from it, and why none was
crop.yaml            how it was made
pictures/            of each video a contact sheet and the field with all tracks
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hybrid.data.cache import content_digest
from hybrid.data.clip import ClipSpec
from hybrid.data.grade_rows import VIDEO_DIGEST
from hybrid.data.paths import CLIPS
from hybrid.errors import UserError
from hybrid.field.cells import Cells, find_cells
from hybrid.field.cutting import cut, write_clip
from hybrid.field.groups import groups_of
from hybrid.field.settings import Settings
from hybrid.field.sheet import contact_sheet, field_picture, shown_tracks, strip
from hybrid.field.video import FieldVideo
from hybrid.field.windows import Window
from hybrid.files import software_commit, whole_folder, write_yaml


@dataclass(frozen=True)
class Cropped:
    """said: a line for each video of what was made; notes: what is odd, a sentence each."""

    clips: int
    said: tuple[str, ...]
    notes: tuple[str, ...]


def crop_fields(videos: Sequence[Path], boxes: Path | None, folder: Path, settings: Settings) -> Cropped:
    """Write the data set; it is whole or not there.

    boxes: a file or folder; None: heads are detected. A UserError for whatever is wrong with a video or its boxes.
    """
    stems = Counter(video.stem for video in videos)
    if twice := [stem for stem, count in stems.items() if count > 1]:
        raise UserError(f"several videos are called {twice[0]!r}, and clips are named after their video: rename one")
    if boxes is not None and boxes.is_file() and len(videos) > 1:
        raise UserError(f"{boxes}: one file cannot hold the boxes of {len(videos)} videos: give a folder of files")
    groups, notes = groups_of(videos, settings.donors)
    tracks, clips, said = [], [], []
    with whole_folder(folder) as making:
        (making / "clips").mkdir()
        (making / "pictures").mkdir()
        for path in videos:
            cells = find_cells(path, boxes, ClipSpec(), settings)
            rows = _track_rows(cells, groups[path])
            _write_clips(cells, rows, making)
            tracks += rows
            digest = content_digest(path)
            clips += [_clip_row(cells, window, groups[path], digest) for window in cells.all_windows]
            said.append(f"{cells.read}; {len(cells.all_windows)} clips of {cells.counts}")
            notes += [f"{path.name}: {note}" for note in cells.notes]
        if not clips:
            raise UserError("\n".join(["no track gives a clip, so nothing is written", *said]))
        pd.DataFrame(tracks).to_csv(making / "tracks.csv", index=False, float_format="%.6g")
        pd.DataFrame(clips).to_csv(making / CLIPS, index=False, float_format="%.6g")
        facts = asdict(settings) | {"donors": settings.donors and str(settings.donors), "classes": [*settings.classes]}
        write_yaml(making / "crop.yaml", facts | {"videos": said, "notes": notes, "commit": software_commit()})
    return Cropped(len(clips), tuple(said), tuple(notes))


def _write_clips(cells: Cells, rows: list[dict], folder: Path) -> None:
    """The clips and pictures of one video."""
    video, windows = cells.video, cells.windows
    shown = shown_tracks([number for number, some in windows.items() if some]) if any(windows.values()) else set()
    middle = len(video.times_N) // 2
    overview = None

    def watched() -> Iterator[np.ndarray]:
        nonlocal overview
        for number, picture_HWC in enumerate(cells.pictures("cropping")):
            if number == middle:
                overview = field_picture(picture_HWC, cells.tracks, cells.left_out)
            yield picture_HWC

    strips = {}
    for window, frames_THWC in cut(watched(), cells.all_windows, cells.camera):
        write_clip(folder / "clips" / clip_name(video, window), frames_THWC, cells.camera.clip.frame_rate)
        if window.track in shown and window.track not in strips:
            strips[window.track] = strip(frames_THWC)
    if strips:
        captions = [(_caption(row), strips[row["track"]]) for row in rows if row["track"] in strips]
        contact_sheet(captions).save(folder / "pictures" / f"{video.path.stem}-clips.png")
    overview.save(folder / "pictures" / f"{video.path.stem}-field.png")


def clip_name(video: FieldVideo, window: Window) -> str:
    return f"{video.path.stem}-{window.track:04d}-{window.number:03d}.mp4"


def _caption(row: dict) -> str:
    unit = row["unit"]
    return (
        f"track {row['track']}, {row['first_s']:.1f} to {row['last_s']:.1f} s, {row['clips']} clips: "
        f"VCL {row['vcl']:.0f} VSL {row['vsl']:.0f} VAP {row['vap']:.0f} {unit}/s, "
        f"LIN {row['lin']:.2f}, ALH {row['alh']:.1f} {unit}, "
        f"BCF {row['bcf']:.1f} Hz"
    )


def _track_rows(cells: Cells, group: str) -> list[dict[str, Any]]:
    return [
        {"group": group}
        | cells.row(track)
        | {"clips": len(cells.windows[track.number]), "left_out": cells.left_out.get(track.number, "")}
        for track in cells.tracks
    ]


def _clip_row(cells: Cells, window: Window, group: str, digest: str) -> dict[str, Any]:
    times_T = cells.video.times_N[window.frames_T[0] : window.frames_T[-1] + 1]
    return {
        "clip": clip_name(cells.video, window),
        "group": group,
        "video": cells.video.path.name,
        "track": window.track,
        "first_s": times_T[0],
        "last_s": times_T[-1],
        **cells.casa(window.path_T2, times_T),
        VIDEO_DIGEST: digest,
    }
