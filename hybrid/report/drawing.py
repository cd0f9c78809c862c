"""How every figure looks, and how it is written: SVG and PNG files, and the SVG that the page shows."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from hybrid.files import whole_file, write_text

INK = "#23272e"
FAMILY_COLOURS = {"image": "#7d8590", "convolution": "#2f81c4", "transformer": "#cf7a1f", "hybrid": "#cf3a63"}
WIDTH = 4.8
"""inches: at this width the text is still legible on a phone and not large on a desktop"""

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


def new_figure(height: float) -> Figure:
    return Figure(figsize=(WIDTH, height), layout="constrained")


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
