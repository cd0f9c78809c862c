"""In which order a rater sees the clips, and which of them twice.

The order follows from the rater's and the clips' names alone: it is another one for each rater, the same after every
start, and clips that are added later do not disturb it.
"""

import hashlib
from collections.abc import Sequence

DISTANCE = 100
"""how many clips lie between the two showings of one, or half of all where there are fewer"""

Showing = tuple[str, int]
"""(clip, 1), or (clip, 2) where it is shown again"""


def showings(clips: Sequence[str], rater: str, repeated: float) -> list[Showing]:
    """Every clip once, and the share `repeated` of them (rounded, of those that are early enough) a second time."""
    order = sorted(clips, key=lambda clip: _hash("order", rater, clip))
    distance = min(DISTANCE, len(clips) // 2)
    early = order[: len(order) - distance] if distance else []
    again = set(sorted(early, key=lambda clip: _hash("again", rater, clip))[: round(repeated * len(clips))])
    shown: list[Showing] = []
    for n, clip in enumerate(order):
        shown.append((clip, 1))
        if n >= distance and order[n - distance] in again:
            shown.append((order[n - distance], 2))
    return shown


def _hash(*words: str) -> bytes:
    return hashlib.sha256("\0".join(words).encode()).digest()
