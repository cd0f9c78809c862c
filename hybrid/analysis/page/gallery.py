"""Clips with each model's relevance over the frames: a view to scrub through for the page, and strips as files."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from hybrid.analysis.clips import ClipSet
from hybrid.analysis.page.context import PageContext, slug
from hybrid.analysis.plan import AnalysisPlan
from hybrid.analysis.registry import ATTRIBUTIONS
from hybrid.analysis.store import read_relevance
from hybrid.display.figures import Picture, new_figure, picture, styled
from hybrid.display.films import Films, data_uri, film, film_layout, side_by_side
from hybrid.evaluation.metrics import expected_grade
from hybrid.files import whole_file

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
FIGURE_TWO = (("vgg16", "grad_cam"), ("vit", "attention_rollout"), ("vit", "transformer_explainability"))
"""model and method of each column of the paper's figure 2"""
WHOLE = (0, 1, 1, 0)
"""the picture's edges, whatever its pixels"""


class Track(NamedTuple):
    """What one model, of this title, sees in a clip; grade: the expected one that it answers.

    heats: by method, a data URI of the relevance in all frames, laid out as the film, and each frame's share of it as
    the path of an SVG, T wide and 1 high.
    """

    title: str
    grade: float
    heats: dict[str, tuple[str, str]]


class ShownClip(NamedTuple):
    """grade: expected, of the panel."""

    clip: str
    film: str
    grade: float | None
    tracks: list[Track]


class Gallery(NamedTuple):
    """methods: name and title of those that any model has. left_out: how many clips the page has no room for."""

    films: Films
    methods: list[tuple[str, str]]
    clips: list[ShownClip]
    left_out: int


class ModelView(NamedTuple):
    """relevance_THW of one model in one clip by one method, and the expected grade that it answers."""

    label: str
    method: str
    relevance_THW: np.ndarray
    grade: float


def build_gallery(page: PageContext) -> Gallery | None:
    """The page's gallery, and a strip of every clip and method as a file; None where there is nothing to show."""
    plan = page.plan
    seen = _read(plan)
    if not seen:
        return None
    known = {view.method for views in seen.values() for view in views}
    methods = [(name, method.title) for name, method in plan.attributions.items() if name in known]
    for clip, views in seen.items():
        for method, title in methods:
            own = [view for view in views if view.method == method]
            write_strip(plan.folder / "strips" / f"{slug(clip)}-{method}.png", _frames(plan, clip), title, own, page)
    layout = film_layout(plan.gallery[0].clip_set.spec)
    for side in SIDES:
        shown = [_shown(clip, views, layout, side, page) for clip, views in seen.items()]
        if sum(map(_length, shown)) <= BUDGET:
            break
    kept = [clip for n, clip in enumerate(shown) if n == 0 or sum(map(_length, shown[: n + 1])) <= BUDGET]
    return Gallery(layout, methods, kept, len(shown) - len(kept))


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


def write_strip(path: Path, frames_THWC: np.ndarray, title: str, views: Sequence[ModelView], page: PageContext) -> None:
    """A PNG: some frames of a clip from left to right, below them the same under each model's relevance."""
    picked = np.linspace(0, len(frames_THWC) - 1, min(STRIP_FRAMES, len(frames_THWC))).round().astype(int)
    margin, line = 130, STRIP_SIDE + 2
    canvas = Image.new("RGB", (margin + len(picked) * line, 18 + (1 + len(views)) * line), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.truetype(findfont("DejaVu Sans"), 11)  # Pillow's own has no ×
    for column, t in enumerate(picked):
        draw.text((margin + column * line, 3), f"frame {t}", fill="black", font=font)
    for row, view in enumerate((None, *views)):
        top = 18 + row * line
        name, note = (title, []) if view is None else (page.title(view.label), [f"answers {view.grade:.2f}"])
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


def _read(plan: AnalysisPlan) -> dict[str, list[ModelView]]:
    """By clip, in the order of the gallery."""
    seen: dict[str, list[ModelView]] = {}
    for run in plan.gallery:
        for method in plan.attributions:
            stored = read_relevance(plan.path(run, "relevance", method), run.cache_key(method))
            for n, clip in enumerate(run.clip_names if stored is not None else ()):
                relevance_THW, grade = stored.relevance_NTHW[n], float(stored.grade_N[n])
                seen.setdefault(clip, []).append(ModelView(run.label, method, relevance_THW, grade))
    return seen


def _source(plan: AnalysisPlan, clip: str) -> tuple[ClipSet, int]:
    clip_set = next(run.clip_set for run in plan.gallery if clip in run.clip_names)
    return clip_set, clip_set.names.index(clip)


def _frames(plan: AnalysisPlan, clip: str) -> np.ndarray:
    clip_set, number = _source(plan, clip)
    return stretched(clip_set.frames_NTHWC[number])


def _shown(clip: str, views: Sequence[ModelView], layout: Films, side: int, page: PageContext) -> ShownClip:
    clip_set, number = _source(page.plan, clip)
    votes = None if clip_set.target_NK is None else float(expected_grade(clip_set.target_NK[[number]])[0])
    tracks = [
        Track(style.title, own[0].grade, {view.method: _heat(view, layout, side) for view in own})
        for label, style in page.styles.items()
        if (own := [view for view in views if view.label == label])
    ]
    return ShownClip(clip, film(_frames(page.plan, clip), layout, min(128, clip_set.spec.side)), votes, tracks)


def _heat(view: ModelView, layout: Films, side: int) -> tuple[str, str]:
    size_T = np.abs(view.relevance_THW).sum(axis=(1, 2))
    share_T = size_T / (size_T.sum() or 1)
    steps = "".join(f"V{1 - share:.3f}H{t + 1}" for t, share in enumerate(share_T / (share_T.max() or 1)))
    sheet = Image.fromarray(side_by_side(coloured(view.relevance_THW, side), layout))
    return data_uri(sheet, "webp", quality=70, alpha_quality=70), f"M0 1{steps}V1Z"


def _length(clip: ShownClip) -> int:
    return len(clip.film) + sum(len(picture) for track in clip.tracks for picture, _ in track.heats.values())


@styled
def draw_figure_two(page: PageContext) -> Picture | None:
    """The paper's figure 2 of the gallery's clips: what VGG16 and ViT look at in a frame, each by its own methods.

    None where either has not been asked by them. It mixes model with method, as the paper's does; the measures of head
    and tail compare models by the same methods.
    """
    seen = _read(page.plan)
    rows = {
        clip: [view.relevance_THW[0] for column in FIGURE_TWO for view in views if (view.label, view.method) == column]
        for clip, views in seen.items()
    }
    rows = {clip: maps for clip, maps in rows.items() if len(maps) == len(FIGURE_TWO)}
    if not rows:
        return None
    figure = new_figure(0.45 + 1.2 * len(rows))
    axes = figure.subplots(len(rows), 1 + len(FIGURE_TWO), squeeze=False)
    for row, (clip, maps) in zip(axes, rows.items(), strict=True):
        for axis in row:
            axis.imshow(_frames(page.plan, clip)[0].mean(axis=-1), cmap="gray", vmin=0, vmax=255, extent=WHOLE)
            axis.set_axis_off()
        for axis, map_HW in zip(row[1:], maps, strict=True):
            axis.imshow(map_HW, cmap="inferno", alpha=0.55, vmin=0, vmax=max(map_HW.max(), 1e-12), extent=WHOLE)
    axes[0, 0].set_title("first frame", fontsize=8)
    for axis, (model, method) in zip(axes[0, 1:], FIGURE_TWO, strict=True):
        title = "\n".join([page.title(model), *textwrap.wrap(ATTRIBUTIONS[method].title, 18)])  # lines fit above a map
        axis.set_title(title, fontsize=8)
    return picture(
        figure,
        page.figures,
        "figure2",
        "What VGG16 and ViT look at",
        f"{len(rows)} first frames, each beside itself under three maps of relevance: Grad-CAM of VGG16, Attention "
        "Rollout and Transformer Explainability of ViT.",
        "The paper's figure 2 with the models trained here. A map's colours run from 0 to its own largest value. The "
        "columns differ in model and in method, so a difference between them is of either.",
    )
