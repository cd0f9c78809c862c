"""Names beside points, moved up or down until they lie on no point and on no other name."""

from __future__ import annotations

from collections.abc import Sequence

LINE = 10.5
"""points between two lines of text"""
CHARACTER = 5
"""points, about the width of a letter"""
DOT = 4
"""points, about the radius of a dot"""


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
        free = [step for step in steps if _free(left, right, height + step, taken)]
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


def _free(left: float, right: float, height: float, taken: list[tuple[float, float, float]]) -> bool:
    return all(right < l or r < left or abs(height - h) >= LINE for l, r, h in taken)
