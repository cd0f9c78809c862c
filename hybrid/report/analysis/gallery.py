"""Clips with each model's relevance over the frames: a view to scrub through for the page, and strips as files."""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from einops import rearrange
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from hybrid.analysis.relevance.figure_two import COLUMNS, draw
from hybrid.analysis.results import read_relevance
from hybrid.analysis.study import Asked, Study
from hybrid.display.figures import Picture
from hybrid.display.films import Films, film, film_layout
from hybrid.evaluation.metrics import expected_grade
from hybrid.files import whole_file
from hybrid.report.analysis.look import Look, slug

SIDES = (64, 48, 32, 24, 16)
"""pixels of a frame's relevance in the page; the first at which all together keep within BUDGET"""
BUDGET = 5_000_000
"""characters of all relevance in the page"""
FULL = 0.995
"""the share of a clip's relevance values that is below full colour"""
POSITIVE, NEGATIVE = (255, 166, 0), (64, 150, 255)
OPAQUE = 190
"""of 255, at full colour: the clip must be seen through it"""
OUTER = 0.002
"""share of pixels at either end of the grey levels that is cut off"""
STRIP_FRAMES = 8
STRIP_SIDE = 96


@dataclass(frozen=True)
class Heat:
    """One model's relevance in one clip by one method.

    picture: data URI of all frames, laid out as the film. share_T: of the clip's relevance in each frame; curve: the
    same as the path of an SVG, T wide and 1 high.
    """

    method: str
    picture: str
    share_T: list[float]
    curve: str


@dataclass(frozen=True)
class Track:
    label: str
    title: str
    grade: float
    """expected, that the model answers"""
    heats: list[Heat]


@dataclass(frozen=True)
class ShownClip:
    clip: str
    film: str
    grade: float | None
    """expected, of the panel"""
    tracks: list[Track]


@dataclass(frozen=True)
class Gallery:
    """methods: name and title of those that any model has. left_out: how many clips the page has no room for."""

    films: Films
    methods: list[tuple[str, str]]
    clips: list[ShownClip]
    left_out: int


@dataclass(frozen=True, eq=False)
class _Seen:
    """relevance_THW of one model in one clip by one method."""

    label: str
    method: str
    relevance_THW: np.ndarray
    grade: float


def build_gallery(study: Study, looks: dict[str, Look], folder: Path) -> Gallery | None:
    """The page's gallery, and a strip of every clip and method in `folder`; None where there is nothing to show."""
    seen = _read(study)
    if not seen:
        return None
    methods = [(name, method.title) for name, method in study.attributions.items() if _has(seen, name)]
    for clip, views in seen.items():
        for method, title in methods:
            write_strip(folder / f"{slug(clip)}-{method}.png", _frames(study, clip), title, _of(views, method), looks)
    layout = film_layout(study.gallery[0].footage.spec)
    for side in SIDES:
        shown = [_shown(study, clip, views, layout, side, looks) for clip, views in seen.items()]
        if sum(map(_length, shown)) <= BUDGET:
            break
    kept = [clip for n, clip in enumerate(shown) if n == 0 or sum(map(_length, shown[: n + 1])) <= BUDGET]
    return Gallery(layout, methods, kept, len(shown) - len(kept))


def draw_figure_two(study: Study, folder: Path) -> Picture | None:
    """The paper's figure 2 of the gallery's clips; None where VGG16 or ViT has not been asked by its methods."""
    seen = _read(study)
    rows = {
        clip: [view.relevance_THW[0] for column in COLUMNS for view in views if (view.label, view.method) == column]
        for clip, views in seen.items()
    }
    rows = {clip: maps for clip, maps in rows.items() if len(maps) == len(COLUMNS)}
    if not rows:
        return None
    frame_NHWC = np.stack([_frames(study, clip)[0] for clip in rows])
    return draw(frame_NHWC, [np.stack(maps) for maps in zip(*rows.values(), strict=True)], folder)


def stretched(frames_THWC: np.ndarray) -> np.ndarray:
    """(T, H, W, 1): in grey, so that colour is relevance, and over the whole scale, as tails are faint."""
    grey_THW1 = frames_THWC.mean(axis=-1, keepdims=True)
    low, high = np.quantile(grey_THW1, [OUTER, 1 - OUTER])
    return (np.clip((grey_THW1 - low) / max(high - low, 1), 0, 1) * 255).astype(np.uint8)


def coloured(relevance_THW: np.ndarray, side: int | None = None) -> np.ndarray:
    """(T, H, W, 4) uint8: one colour for relevance above zero and one for below, the more opaque the more there is.

    One scale for all frames of the clip, so that frames can be compared. side: to make it smaller.
    """
    if side is not None and side < relevance_THW.shape[-1]:
        small = [Image.fromarray(frame).resize((side, side), Image.Resampling.BOX) for frame in relevance_THW]
        relevance_THW = np.stack([np.asarray(frame) for frame in small])
    size_THW = np.abs(relevance_THW)
    some = size_THW[size_THW > 0]
    full = np.quantile(some, FULL) if some.size else 1.0
    opacity_THW1 = (np.clip(size_THW / full, 0, 1) * OPAQUE)[..., None]
    colour_THW3 = np.where(relevance_THW[..., None] >= 0, POSITIVE, NEGATIVE)
    return np.concatenate([colour_THW3, opacity_THW1], axis=-1).astype(np.uint8)


def write_strip(
    path: Path, frames_THWC: np.ndarray, title: str, views: Sequence[_Seen], looks: dict[str, Look]
) -> None:
    """A PNG: some frames of a clip from left to right, below them the same under each model's relevance."""
    picked = np.linspace(0, len(frames_THWC) - 1, min(STRIP_FRAMES, len(frames_THWC))).round().astype(int)
    margin, line = 130, STRIP_SIDE + 2
    canvas = Image.new("RGB", (margin + len(picked) * line, 18 + (1 + len(views)) * line), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.truetype(findfont("DejaVu Sans"), 11)  # Pillow's own has no ×
    for column, t in enumerate(picked):
        draw.text((margin + column * line, 3), f"frame {t}", fill="black", font=font)
    for row, view in enumerate((None, *views)):
        top = 18 + row * line
        name, note = (title, []) if view is None else (looks[view.label].title, [f"answers {view.grade:.2f}"])
        draw.text((4, top + 4), "\n".join([*textwrap.wrap(name, 17), *note]), fill="black", font=font)
        heat = None if view is None else coloured(view.relevance_THW)
        for column, t in enumerate(picked):
            tile = Image.fromarray(np.broadcast_to(frames_THWC[t], (*frames_THWC.shape[1:3], 3)).copy())
            tile = tile.resize((STRIP_SIDE, STRIP_SIDE), Image.Resampling.BICUBIC)
            if heat is not None:
                over = Image.fromarray(heat[t]).resize(tile.size, Image.Resampling.BILINEAR)
                tile.paste(over, mask=over.getchannel("A"))
            canvas.paste(tile, (margin + column * line, top))
    with whole_file(path) as temporary:
        canvas.save(temporary, "PNG")


def _read(study: Study) -> dict[str, list[_Seen]]:
    """By clip, in the order of the gallery."""
    seen: dict[str, list[_Seen]] = {}
    for asked in study.gallery:
        for method in study.attributions:
            answer = read_relevance(study.path(asked, "relevance", method), asked.question(method))
            for n, clip in enumerate(asked.names if answer is not None else ()):
                relevance_THW, grade = answer.relevance_NTHW[n], float(answer.grade_N[n])
                seen.setdefault(clip, []).append(_Seen(asked.source.label, method, relevance_THW, grade))
    return seen


def _has(seen: dict[str, list[_Seen]], method: str) -> bool:
    return any(view.method == method for views in seen.values() for view in views)


def _of(views: Sequence[_Seen], method: str) -> list[_Seen]:
    return [view for view in views if view.method == method]


def _asked(study: Study, clip: str) -> Asked:
    return next(asked for asked in study.gallery if clip in asked.names)


def _frames(study: Study, clip: str) -> np.ndarray:
    footage = _asked(study, clip).footage
    return stretched(footage.frames_NTHWC[footage.names.index(clip)])


def _shown(
    study: Study, clip: str, views: Sequence[_Seen], layout: Films, side: int, looks: dict[str, Look]
) -> ShownClip:
    footage = _asked(study, clip).footage
    number = footage.names.index(clip)
    votes = None if footage.target_NK is None else float(expected_grade(footage.target_NK[[number]])[0])
    tracks = [
        Track(label, look.title, own[0].grade, [_heat(view, layout, side) for view in own])
        for label, look in looks.items()
        if (own := [view for view in views if view.label == label])
    ]
    return ShownClip(clip, film(_frames(study, clip), layout, min(128, footage.spec.side)), votes, tracks)


def _heat(view: _Seen, layout: Films, side: int) -> Heat:
    size_T = np.abs(view.relevance_THW).sum(axis=(1, 2))
    share_T = size_T / (size_T.sum() or 1)
    steps = "".join(f"V{1 - share:.3f}H{t + 1}" for t, share in enumerate(share_T / (share_T.max() or 1)))
    return Heat(view.method, _sheet(coloured(view.relevance_THW, side), layout), share_T.tolist(), f"M0 1{steps}V1Z")


def _sheet(rgba_THWC: np.ndarray, layout: Films) -> str:
    padding = layout.columns * layout.rows - len(rgba_THWC)
    rgba_THWC = np.concatenate([rgba_THWC, np.zeros_like(rgba_THWC[:1]).repeat(padding, 0)])
    sheet = rearrange(rgba_THWC, "(rows columns) h w c -> (rows h) (columns w) c", columns=layout.columns)
    data = io.BytesIO()
    Image.fromarray(sheet).save(data, "WEBP", quality=70, alpha_quality=70)
    return "data:image/webp;base64," + base64.b64encode(data.getvalue()).decode()


def _length(clip: ShownClip) -> int:
    return len(clip.film) + sum(len(heat.picture) for track in clip.tracks for heat in track.heats)
