"""Field videos to a data set: the folder that tools/crop.py writes.

clips/               a clip a window: <video>-<track>-<window>.mp4
clips.csv            a row a clip: its group, track and time in the video, and its CASA figures
tracks.csv           a row a track: its figures, how many clips were cut from it, and why none was
crop.yaml            how it was made
pictures/            of each video a contact sheet and the field with all tracks
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hybrid.data.casa import FIGURES
from hybrid.data.clip import ClipSpec
from hybrid.errors import UserError
from hybrid.field.box_files import read_boxes
from hybrid.field.boxes import of_classes, typical_side
from hybrid.field.cutting import cut, write_clip
from hybrid.field.detecting import detect
from hybrid.field.groups import groups_of
from hybrid.field.interlacing import ORDERS
from hybrid.field.linking import linked
from hybrid.field.sheet import contact_sheet, field_picture, shown_tracks, strip
from hybrid.field.tracks import Rules, Track, figures, tracks_of
from hybrid.field.video import FieldVideo, look_through, pictures
from hybrid.field.windows import CAMERAS, Camera, Window, why_none, windows_of
from hybrid.files import software_commit, write_yaml

SPEED = 30.0
"""times the typical box's longer side that a head may move in a second, where nothing else is said: with a head of 5 um
150 um/s, the fastest sperm there are; boxes are larger than heads, which leaves room for how they tremble"""


@dataclass(frozen=True)
class Settings:
    """How to crop. side: px of a clip. um_per_px: the size of a pixel, where known. max_speed: px/s (None: SPEED).
    max_gap: s. classes: labels of the boxes of sperm. first_frame: number of the first frame in files of boxes.
    most: clips of a track, 0: as many as there is room for. donors: a table of whose each video is.
    head_px: the diameter of heads to be found where there are no boxes.
    """

    side: int = 150
    camera: str = "tracked"
    um_per_px: float | None = None
    max_speed: float | None = None
    max_gap: float = 0.2
    classes: tuple[str, ...] = ()
    first_frame: int | None = None
    most: int = 0
    deinterlace: bool = False
    donors: Path | None = None
    head_px: float | None = None

    def __post_init__(self):
        def check(name, good, wish):
            if not good:
                raise UserError(f"{name} must be {wish}, not {getattr(self, name)!r}")

        check("side", 16 <= self.side <= 2048 and self.side % 2 == 0, "an even number of pixels from 16 to 2048")
        check("camera", self.camera in CAMERAS, f"one of {', '.join(CAMERAS)}")
        check("um_per_px", self.um_per_px is None or 0.01 <= self.um_per_px <= 20, "from 0.01 to 20 um")
        check("max_speed", self.max_speed is None or self.max_speed > 0, "above 0 px a second")
        check("max_gap", 0 <= self.max_gap <= 1, "from 0 to 1 s")
        check("first_frame", self.first_frame in (None, 0, 1), "0 or 1")
        check("most", self.most >= 0, "0 or more")


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
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            f"{folder}: is there already, and what was graded in it must keep its clips: name another folder"
        )
    if (boxes is None) == (settings.head_px is None):
        raise UserError("give boxes with --boxes, or the diameter of heads with --detect, so that they are found")
    stems = Counter(video.stem for video in videos)
    if twice := [stem for stem, count in stems.items() if count > 1]:
        raise UserError(f"several videos are called {twice[0]!r}, and clips are named after their video: rename one")
    groups, notes = groups_of(videos, settings.donors)
    making = folder.with_name(f"{folder.name}.tmp")  # a killed run leaves it; nothing in it is finished
    shutil.rmtree(making, ignore_errors=True)
    (making / "clips").mkdir(parents=True)
    (making / "pictures").mkdir()
    tracks, clips, said = [], [], []
    try:
        for path in videos:
            made = _crop(path, boxes, groups[path], making, settings)
            tracks += made.tracks
            clips += made.clips
            said.append(made.said)
            notes += [f"{path.name}: {note}" for note in made.notes]
        if not clips:
            raise UserError("\n".join(["no track gives a clip, so nothing is written", *said]))
        pd.DataFrame(tracks).to_csv(making / "tracks.csv", index=False, float_format="%.6g")
        pd.DataFrame(clips).to_csv(making / "clips.csv", index=False, float_format="%.6g")
        facts = asdict(settings) | {"donors": settings.donors and str(settings.donors), "classes": [*settings.classes]}
        write_yaml(making / "crop.yaml", facts | {"videos": said, "notes": notes, "commit": software_commit()})
        if folder.exists():
            folder.rmdir()
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return Cropped(len(clips), tuple(said), tuple(notes))


@dataclass(frozen=True)
class _Made:
    tracks: list[dict]
    clips: list[dict]
    said: str
    notes: list[str]


def _crop(path: Path, boxes: Path | None, group: str, folder: Path, settings: Settings) -> _Made:
    clip = ClipSpec()
    video = look_through(path)
    notes = _oddities(video, clip, settings)
    camera = Camera(settings.side, settings.camera, clip)
    if settings.side > min(video.width, video.height):
        raise UserError(f"{path}: of {video.width}x{video.height} px no clip of {settings.side} px can be cut")
    if boxes is None:
        table, read = detect(video, settings.head_px, settings.deinterlace)
    else:
        table, read = read_boxes(boxes, video, settings.first_frame)
    table = of_classes(table, settings.classes, f"the boxes of {path.name}")
    rules = Rules(settings.max_speed or SPEED * typical_side(table), settings.max_gap)
    if table["id"].isna().all():
        table, read = linked(table, video, rules), f"{read}; without ids, linked by trackpy"
    tracks = list(tracks_of(table, video, rules))
    windows, reasons = {}, {}
    for track in tracks:
        windows[track.number] = _spread(windows_of(track, video, camera), settings.most)
        if not windows[track.number]:
            reasons[track.number] = why_none(track, video, camera)

    rows = {track.number: _track_row(track, video, group, settings) for track in tracks}
    for number, row in rows.items():
        row |= {"clips": len(windows[number]), "left_out": reasons.get(number, "")}
    made = _write_clips(video, tracks, windows, reasons, rows, camera, folder, settings)
    clips = [_clip_row(window, video, group, settings) for window in made]
    counts = Counter(reasons.values())
    left_out = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    said = (
        f"{path.name}: {video.width}x{video.height} px, {video.times_N[-1]:.1f} s at {video.rate:.4g} frames a second; "
        f"{read}; {len(table)} boxes, {len(tracks)} tracks (up to {rules.max_speed:.0f} px/s); {len(clips)} clips of "
        f"{len(tracks) - len(reasons)} tracks; left out {len(reasons)}" + (f": {left_out}" if left_out else "")
    )
    return _Made(list(rows.values()), clips, said, notes)


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
    if gaps.max() > 2.5 * video.interval:
        notes.append(f"has no frame for {gaps.max():.2f} s after {video.times_N[gaps.argmax()]:.2f} s")
    return notes


def _spread(windows: list[Window], most: int) -> list[Window]:
    if not most or len(windows) <= most:
        return windows
    return [windows[i] for i in np.linspace(0, len(windows) - 1, most).round().astype(int)]


def _write_clips(video, tracks, windows, reasons, rows, camera, folder, settings: Settings) -> list[Window]:
    """The clips and pictures of one video; the windows in the order of their tracks."""
    shown = shown_tracks([number for number, some in windows.items() if some]) if any(windows.values()) else set()
    middle = len(video.times_N) // 2
    drawn: list[Track] = tracks
    overview = None

    def watched():
        nonlocal overview
        for number, picture_HWC in enumerate(pictures(video, settings.deinterlace)):
            if number == middle:
                overview = field_picture(picture_HWC, drawn, reasons)
            yield picture_HWC

    wanted = [window for some in windows.values() for window in some]
    strips = {}
    for window, frames_THWC in cut(watched(), wanted, camera):
        write_clip(folder / "clips" / clip_name(video, window), frames_THWC, camera.clip.frame_rate)
        if window.track in shown and window.track not in strips:
            strips[window.track] = strip(frames_THWC)
    if strips:
        captions = [(_caption(rows[number]), strips[number]) for number in sorted(strips)]
        contact_sheet(captions).save(folder / "pictures" / f"{video.path.stem}-clips.png")
    overview.save(folder / "pictures" / f"{video.path.stem}-field.png")
    return wanted


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


def _track_row(track: Track, video: FieldVideo, group: str, settings: Settings) -> dict:
    """CASA figures are of the longest unbroken part."""
    part = track.longest(video)
    times_T = video.times_N[part.first : part.last + 1]
    return {
        "video": video.path.name,
        "group": group,
        "track": track.number,
        "id": track.identity,
        "first_s": video.times_N[track.first],
        "last_s": video.times_N[track.last],
        "boxes": track.boxes,
        "gaps": track.gaps,
        "jumps": track.jumps,
        "part_first_s": times_T[0],
        "part_last_s": times_T[-1],
        "part_bridged": part.bridged,
        **_casa(part.path_T2, times_T, video, settings),
    }


def _clip_row(window: Window, video: FieldVideo, group: str, settings: Settings) -> dict:
    times_T = video.times_N[window.frames_T[0] : window.frames_T[-1] + 1]
    return {
        "clip": clip_name(video, window),
        "group": group,
        "video": video.path.name,
        "track": window.track,
        "first_s": times_T[0],
        "last_s": times_T[-1],
        **_casa(window.path_T2, times_T, video, settings),
    }


def _casa(path_T2, times_T, video: FieldVideo, settings: Settings) -> dict:
    unit = "px" if settings.um_per_px is None else "um"
    found = figures(path_T2, times_T, settings.um_per_px)
    return {"unit": unit, "frame_rate": video.rate, **{name: found[name] for name in FIGURES}}
