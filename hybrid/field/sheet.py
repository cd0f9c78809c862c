"""Two pictures of a cropped video to look at: the clips of some of its tracks, and all tracks drawn into the field."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from PIL import Image, ImageDraw

from hybrid.field.tracks import Track
from hybrid.field.windows import REASONS

ROWS, COLUMNS = 24, 8
"""tracks, and frames of each clip, on a contact sheet"""
TILE, CAPTION = 150, 14
"""px: the most that a frame is shown at, and the height of a line of text"""
KEPT = "#2e9f44"
COLOURS = dict(zip(REASONS, ("#8a8a8a", "#d1342f", "#e08a00", "#3b6fd4"), strict=True))


def shown_tracks(tracks: Sequence[int]) -> set[int]:
    """ROWS of them at most, evenly spread."""
    tracks = sorted(tracks)
    return {tracks[i] for i in np.linspace(0, len(tracks) - 1, min(ROWS, len(tracks))).round().astype(int)}


def strip(frames_THWC: np.ndarray) -> np.ndarray:
    """COLUMNS of a clip's frames side by side."""
    picked = frames_THWC[np.linspace(0, len(frames_THWC) - 1, min(COLUMNS, len(frames_THWC))).round().astype(int)]
    return np.concatenate([np.pad(frame, ((0, 0), (0, 2), (0, 0)), constant_values=255) for frame in picked], axis=1)


def contact_sheet(strips: Sequence[tuple[str, np.ndarray]]) -> Image.Image:
    """A row a track: (caption, strip of frames)."""
    shrink = min(1.0, TILE / strips[0][1].shape[0])
    height, width = (round(side * shrink) for side in strips[0][1].shape[:2])
    sheet = Image.new("RGB", (width, len(strips) * (height + CAPTION)), "white")
    pen = ImageDraw.Draw(sheet)
    for row, (caption, picture) in enumerate(strips):
        top = row * (height + CAPTION)
        sheet.paste(Image.fromarray(picture).resize((width, height)), (0, top))
        pen.text((2, top + height), caption, fill="black", font_size=11)
    return sheet


def field_picture(picture_HWC: np.ndarray, tracks: Collection[Track], reasons: dict[int, str]) -> Image.Image:
    """All tracks' paths with their numbers on a frame of the video; their colour says why one was left out."""
    height = picture_HWC.shape[0]
    image = Image.new("RGB", (picture_HWC.shape[1], height + CAPTION + 2), "white")
    image.paste(Image.fromarray(np.ascontiguousarray(picture_HWC)))
    pen = ImageDraw.Draw(image)
    for track in tracks:
        colour = COLOURS.get(reasons.get(track.number, ""), KEPT)
        for segment in track.segments:
            pen.line([tuple(place) for place in segment.path_T2], fill=colour, width=2)
        x, y = track.segments[0].path_T2[0]
        pen.text((x + 3, y - 12), str(track.number), fill=colour, font_size=11, stroke_width=1, stroke_fill="white")
    left = 2
    for text, colour in (("cropped", KEPT), *COLOURS.items()):
        pen.text((left, height + 1), text, fill=colour, font_size=11)
        left += pen.textlength(text, font_size=11) + 12
    return image
