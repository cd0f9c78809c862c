"""How every figure looks, and how it is written: SVG and PNG files, and the SVG that the page shows."""

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from hybrid import get_entry
from hybrid.files import whole_file, write_text

INK = "#23272e"
FAMILY_COLOURS = {
    "image": "#7d8590",
    "convolution": "#2f81c4",
    "transformer": "#cf7a1f",
    "hybrid": "#cf3a63",
    "frozen": "#2f9d78",
}
WIDTH = 4.8
"""inches: at this width the text is still legible on a phone and not large on a desktop"""
LINE = 10.5
"""points between two lines of text"""
CHARACTER = 5
"""points, about the width of a letter"""
DOT = 4
"""points, about the radius of a dot"""

STYLE = {
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.fonttype": "none",  # text stays text: it can be read aloud, and takes the page's font
    "svg.hashsalt": "report",  # the same figure is the same file
}


@dataclass(frozen=True)
class Picture:
    """A figure for the page. svg: inline, in the page's colours. alt: what it shows, for who cannot see it."""

    name: str
    title: str
    alt: str
    caption: str
    svg: str


styled = matplotlib.rc_context(STYLE)
"""decorates every function that draws: matplotlib takes the style when a part of a figure is made"""


def title_of(arm: str, model: str) -> str:
    """The model's title, or the label of an arm that has one of its own."""
    return get_entry(model).title if arm == model else arm


def new_figure(height: float) -> Figure:
    return Figure(figsize=(WIDTH, height), layout="constrained")


def grid(count: int, across: int, base: float, row: float, **shared) -> tuple[Figure, list]:
    """A figure of `count` axes, so many in a row, `base` and `row` inches for each row high; and the list of its axes.

    shared: sharex, sharey.
    """
    down = math.ceil(count / across)
    figure = new_figure(base + down * row)
    axes = figure.subplots(down, across, squeeze=False, **shared).ravel().tolist()
    for empty in axes[count:]:
        empty.set_axis_off()
    return figure, axes


def panels(count: int, height: float, x_label: str, y_label: str) -> tuple[Figure, list]:
    """A figure of small panels, three in a row, that share their axes; and the list of its axes.

    Its margins are given in inches: to have them found takes longer than all the rest of the report.
    """
    across = min(3, count)
    down = math.ceil(count / across)
    title, left, bottom = 0.28, 0.62, 0.5
    whole = bottom + down * (height + title)
    figure = Figure(figsize=(WIDTH, whole))
    figure.subplots_adjust(
        left=left / WIDTH, right=0.985, bottom=bottom / whole, top=1 - title / whole, wspace=0.16, hspace=title / height
    )
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel().tolist()
    for empty in axes[count:]:
        empty.set_axis_off()
    for axis in axes[max(0, count - across) : count]:
        axis.tick_params(labelbottom=True)  # above an empty place, too
    figure.text(0.5 * (1 + left / WIDTH), 0.05 / whole, x_label, ha="center", va="bottom")
    size = min(STYLE["font.size"], 120 * whole / max(1, len(y_label)))  # a letter is about 0.6 of its size wide
    figure.text(0.05 / WIDTH, 0.5, y_label, ha="left", va="center", rotation="vertical", fontsize=size, in_layout=False)
    return figure, axes[:count]


def picture(figure: Figure, folder: Path, name: str, title: str, alt: str, caption: str) -> Picture:
    """Write <name>.svg and <name>.png, dark on white, and return the same figure for the page."""
    text = io.StringIO()
    FigureCanvasSVG(figure)
    figure.savefig(text, format="svg", metadata={"Date": None, "Title": title})
    figure.set_layout_engine("none")  # it is laid out now, and that is slow
    FigureCanvasAgg(figure)
    with whole_file(folder / f"{name}.png") as temporary:
        figure.savefig(temporary, format="png", dpi=200, facecolor="white")
    svg = text.getvalue()
    white = r'\1<rect width="100%" height="100%" fill="white"/>'
    write_text(folder / f"{name}.svg", re.sub(r"(<svg [^>]*>)", white, svg, count=1))
    return Picture(name, title, alt, caption, _inline(svg, name))


def _inline(svg: str, name: str) -> str:
    """Without the file's head; ids made the figure's own; colours handed to the page's style sheet."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>.*?</title>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r'\b(id=")', rf"\g<1>{name}-", svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = svg.replace(INK, "currentColor")
    for family, colour in FAMILY_COLOURS.items():
        svg = svg.replace(colour, f"var(--{family})")
    svg = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \1 aria-hidden="true" focusable="false">', svg, count=1)
    return re.sub(r"\n\s*", "\n", svg)


def place_labels(axes, x_N: Sequence[float], y_N: Sequence[float], names: Sequence[str], ink: str) -> None:
    """Each name right of its point, at the free height nearest to it; call when the figure is laid out.

    A thin line leads from a name that had to move to its point.
    """
    to_points = 72 / axes.figure.dpi
    bottom, top = axes.bbox.y0 * to_points, axes.bbox.y1 * to_points
    points = [axes.transData.transform(place) * to_points for place in zip(x_N, y_N, strict=True)]
    taken = [(x - DOT, x + DOT, y) for x, y in points]  # left, right, height
    for n in sorted(range(len(points)), key=lambda n: points[n][1]):
        left, height = points[n][0] + 7, points[n][1]
        right = left + CHARACTER * len(names[n])
        steps = [step for count in range(3 * len(points)) for step in (count * LINE / 2, -count * LINE / 2)]
        free = [
            step for step in steps if all(right < l or r < left or abs(height + step - h) >= LINE for l, r, h in taken)
        ]
        inside = [step for step in free if bottom + LINE / 2 < height + step < top - LINE / 2]
        offset = (inside or free)[0]
        taken.append((left, right, height + offset))
        axes.annotate(
            names[n],
            (x_N[n], y_N[n]),
            xytext=(7, offset),
            textcoords="offset points",
            va="center",
            fontsize=8,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": ink, "alpha": 0.5, "shrinkA": 0, "shrinkB": 2}
            if offset
            else None,
        ).set_in_layout(False)
