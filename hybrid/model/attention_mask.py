"""Which queries see which keys: between the pathways (scope) and in time (window).

What a window limits. A window of w lets a query see the tokens of the (w - 1) / 2 frames of the clip on either side of
its own, whichever pathway they are of. It does not limit what those tokens have seen before:

- Fast's own kernels reach 6 frames to either side at tiny size and 18 at paper size, which is a clip of 16 whole. Each
  stage with a branch adds (w - 1) / 2, so that with scope='fast' and two stages Fast's tokens after res5 have at tiny
  size seen 6 + (w - 1) frames to either side: 8, 10 and 14 with windows of 3, 5 and 9.
- Slow's tokens have seen the whole clip by themselves: the kernels of its late stages span all of its few frames. So
  with scope='both', Fast reaches every frame through Slow at any window: there a window says what attention reads
  directly, not what the model can know.
- With scope='separate', Slow's frames are further apart than a window of 3 or 5 reaches: each attends to itself alone.

A comparison of local with global exchange is therefore made at scope='fast', where the window alone is what differs.
These are bounds by structure; what a trained model uses is measured (hybrid/analysis).
"""

from __future__ import annotations

import torch
from torch import Tensor

from hybrid.model.positions import FrameTimes

SCOPES: dict[str, dict[str, tuple[str, ...]]] = {
    "both": {"slow": ("slow", "fast"), "fast": ("slow", "fast")},
    "slow": {"slow": ("slow",)},
    "fast": {"fast": ("fast",)},
    "separate": {"slow": ("slow",), "fast": ("fast",)},
    "fast_to_slow": {"slow": ("fast",)},
}
"""pathway that is updated -> the pathways it reads"""

WINDOWS = ("global", 3, 5, 9)
"""frames of the clip, centred on the query, that it sees"""


class AttentionMask:
    """A scope and a window: the pathways of the queries, those of the keys, and which query sees which key."""

    def __init__(self, scope: str, window: str | int):
        if scope not in SCOPES:
            raise ValueError(f"scope must be one of {', '.join(SCOPES)}, not {scope!r}")
        if window not in WINDOWS:
            raise ValueError(f"window must be one of {', '.join(map(str, WINDOWS))}, not {window!r}")
        reads = SCOPES[scope]
        self.key_pathways_of = reads
        self.query_pathways = tuple(reads)
        self.key_pathways = tuple(name for name in ("slow", "fast") if any(name in seen for seen in reads.values()))
        self.pathways = tuple(name for name in ("slow", "fast") if name in reads or name in self.key_pathways)
        self.reach = None if window == "global" else (window - 1) // 2

    def matrix(self, times: dict[str, FrameTimes]) -> Tensor | None:
        """(Tq, Tk) true where a query sees a key, or None where all see all.

        Rows are the query pathways one after the other, columns the key pathways.
        """
        if self.reach is None and all(keys == self.key_pathways for keys in self.key_pathways_of.values()):
            return None

        def sees(query: str, key: str) -> Tensor:
            apart_QK = (times[query].frame_T[:, None] - times[key].frame_T[None, :]).abs()
            if key not in self.key_pathways_of[query]:
                return torch.zeros_like(apart_QK, dtype=torch.bool)
            return apart_QK <= (times[query].num_frames if self.reach is None else self.reach)

        return torch.cat([torch.cat([sees(q, k) for k in self.key_pathways], dim=1) for q in self.query_pathways])
