"""Pictures of two moments, one in the even and one in the odd lines, as older cameras give them: noticed and mended.

Few files say that they are so once they were copied, hence FFmpeg's idet looks at the pictures too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import av

from hybrid.data.video import Source

LOOKED = 300
"""frames that are looked at, from the first on"""
ORDERS = {"tff": "the upper lines first", "bff": "the lower lines first", "auto": "by its own account"}


class Interlacing:
    """Counts as frames are added; `order` is '' (not interlaced) or one of ORDERS."""

    def __init__(self, source: Source):
        self._graph = _graph(source, "idet", "")
        self._looked, self._said = 0, False
        self._counts: dict[str, float] = {}

    def add(self, image: av.VideoFrame) -> None:
        self._said = self._said or image.interlaced_frame
        if self._looked < LOOKED:
            self._looked += 1
            for seen in _through(self._graph, [image]):
                self._counts = {
                    kind: float(seen.metadata.get(f"lavfi.idet.multiple.{kind}", 0))
                    for kind in ("tff", "bff", "progressive")
                }

    @property
    def order(self) -> str:
        upper, lower, progressive = (self._counts.get(kind, 0) for kind in ("tff", "bff", "progressive"))
        if upper + lower > progressive:
            return "tff" if upper > lower else "bff"
        return "auto" if self._said else ""


def deinterlaced(source: Source, images: Iterable[av.VideoFrame], order: str) -> Iterator[av.VideoFrame]:
    """As many frames as there were, so that boxes keep theirs: of each the lines of its earlier moment, with the others
    made up between them (FFmpeg's bwdif)."""
    graph = _graph(source, "bwdif", f"mode=send_frame:deint=all:parity={order}")
    return _through(graph, itertools.chain(images, [None]))  # None: no more will come


def _graph(source: Source, name: str, options: str) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.link_nodes(graph.add_buffer(template=source.stream), graph.add(name, options), graph.add("buffersink"))
    graph.configure()
    return graph


def _through(graph: av.filter.Graph, images: Iterable[av.VideoFrame | None]) -> Iterator[av.VideoFrame]:
    for image in images:
        graph.push(image)
        while True:
            try:
                yield graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                break
