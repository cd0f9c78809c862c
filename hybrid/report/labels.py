"""Names beside points, moved up or down until no two lie on each other."""

from __future__ import annotations

from collections.abc import Sequence

LINE = 11
"""points between two lines of text"""
CHARACTER = 5
"""points, about the width of a letter"""


def place_labels(axes, x_N: Sequence[float], y_N: Sequence[float], names: Sequence[str]) -> None:
    """Each name right of its point, at the free height nearest to it; call when the figure is laid out."""
    to_points = 72 / axes.figure.dpi
    taken: list[tuple[float, float, float]] = []  # left, right, height
    points = [axes.transData.transform(place) * to_points for place in zip(x_N, y_N, strict=True)]
    for n in sorted(range(len(points)), key=lambda n: points[n][1]):
        left, height = points[n]
        right = left + 7 + CHARACTER * len(names[n])
        steps = (step for distance in range(len(points) + 1) for step in (distance * LINE, -distance * LINE))
        offset = next(step for step in steps if _free(left, right, height + step, taken))
        taken.append((left, right, height + offset))
        axes.annotate(
            names[n],
            (x_N[n], y_N[n]),
            xytext=(7, offset),
            textcoords="offset points",
            va="center",
            fontsize=8,
            annotation_clip=False,
        ).set_in_layout(False)


def _free(left: float, right: float, height: float, taken: list[tuple[float, float, float]]) -> bool:
    return all(right < l or r < left or abs(height - h) >= LINE for l, r, h in taken)
