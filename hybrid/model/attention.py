"""Global attention over time between the pathways of a SlowFast."""

from __future__ import annotations

import torch
from einops import rearrange, repeat
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from baselines.contract import Intermediates, TemporalAttention
from hybrid.model.branch import PathwayTokens, TemporalBranch
from hybrid.model.init import linear
from hybrid.model.positions import FrameTimes, NoPositions

PLACES_AT_ONCE = 65_535
"""more in one batch is an 'invalid configuration argument' for CUDA's kernels (pytorch issue 142228)"""


class SpatialContext:
    """Where in space a query finds its keys: at its own place, in every frame. Also the interface of the others."""

    shares_keys = False
    """whether the queries of all places see the same keys"""

    def view(self, x_BSTD: Tensor) -> Tensor:
        """The tokens keys and values are made of, (B, places, T, D)."""
        return x_BSTD

    def expand(self, x_BShTD: Tensor, grid: tuple[int, int]) -> Tensor:
        """Keys or values of each place, (B, G, h, P T, D); G is S, or 1 where all places share them."""
        return x_BShTD


class Neighbourhood(SpatialContext):
    """The 3x3 places around the query, in every frame: whatever moves a place on is still seen.

    At the border the square moves inwards instead of being cut, so that every query has as many keys (Hassani et al.,
    Neighborhood attention transformer, 2023); a grid of 2x2 is seen whole. Motionformer (Patrick et al., 2021) says
    why the same place is not enough for what moves.
    """

    def expand(self, x_BShTD: Tensor, grid: tuple[int, int]) -> Tensor:
        place_SP = self.places(*grid).to(x_BShTD.device)
        return rearrange(x_BShTD[:, place_SP], "b s p h t d -> b s h (p t) d")

    @staticmethod
    def places(height: int, width: int) -> Tensor:
        """(H W, P): the places that each place sees, row by row."""

        def along(size: int) -> Tensor:  # (size, min(3, size))
            first = (torch.arange(size) - 1).clamp(0, max(size - 3, 0))
            return first[:, None] + torch.arange(min(3, size))

        row, column = along(height), along(width)
        place = row[:, None, :, None] * width + column[None, :, None, :]
        return rearrange(place, "h w i j -> (h w) (i j)")


class FrameMean(SpatialContext):
    """The mean over space of every frame: what happened when, not where."""

    shares_keys = True

    def view(self, x_BSTD: Tensor) -> Tensor:
        return x_BSTD.mean(dim=1, keepdim=True)


class JointSpaceTime(SpatialContext):
    """Every place of every frame, as in TimeSformer's joint space-time attention; places differ by content alone."""

    shares_keys = True

    def expand(self, x_BShTD: Tensor, grid: tuple[int, int]) -> Tensor:
        return rearrange(x_BShTD, "b s h t d -> b 1 h (s t) d")


SPATIAL_CONTEXTS = {
    "place": SpatialContext,
    "neighbourhood": Neighbourhood,
    "frame": FrameMean,
    "frame_to_frame": FrameMean,  # of a branch whose queries are frames' means too
    "joint": JointSpaceTime,
}
"""by the value of the option `keys`"""


class CrossPathwayAttention(TemporalBranch):
    """The tokens of one place, of all frames of both pathways, attend to each other, turned to their seconds.

    Attention after Vaswani et al., Attention is all you need, 2017, eq. 1; over time at one place as in TimeSformer
    (Bertasius et al., 2021, section 3). `context` widens what a query sees from its own place, `positions` says how it
    knows times.
    """

    def __init__(
        self,
        channels: dict[str, int],
        *,
        width: int,
        heads: int,
        positions: NoPositions,
        context: SpatialContext,
        **common,
    ):
        """common: what every branch takes, see `TemporalBranch`."""
        super().__init__(channels, width=width, **common)
        self.heads = heads
        self.context = context
        self.to_q = linear(width, width)
        self.to_kv = linear(width, 2 * width)
        self.positions = positions

    def mix(self, tokens: PathwayTokens, into: Intermediates | None = None, name: str = "") -> dict[str, Tensor]:
        """With `into`, attention is computed by an explicit softmax and kept under `name` as (B, places, heads, Tq,
        Tk), queries and keys of Slow before those of Fast; where a query sees a frame at several places, their sum.
        """
        times = tokens.times
        queries, keys = self.mask.query_pathways, self.mask.key_pathways
        query_times, key_times = (FrameTimes.joined([times[pathway] for pathway in of]) for of in (queries, keys))
        x_BSTD = {pathway: self.positions.add(x, times[pathway]) for pathway, x in tokens.x_BSTD.items()}
        q = self.to_q(torch.cat([x_BSTD[pathway] for pathway in queries], dim=2))
        kv = self.to_kv(self.context.view(torch.cat([x_BSTD[pathway] for pathway in keys], dim=2)))
        q = self.positions.rotate(rearrange(q, "b s t (h d) -> b s h t d", h=self.heads), query_times)
        k, v = rearrange(kv, "b s t (two h d) -> two b s h t d", two=2, h=self.heads)
        k, v = (self.context.expand(x, tokens.grid) for x in (self.positions.rotate(k, key_times), v))

        batch, groups = q.shape[0], k.shape[1]
        if self.context.shares_keys:  # the queries of all places are one long row
            q = rearrange(q, "b s h t d -> b 1 h (s t) d")
        q, k, v = (rearrange(x, "b g h n d -> (b g) h n d") for x in (q, k, v))
        seen = self.seen(query_times, key_times, times, places=(q.shape[2], k.shape[2]))
        query_steps, key_steps = ({pathway: len(times[pathway]) for pathway in of} for of in (queries, keys))
        if into is None:
            mixed = fused_attention(q, k, v, seen)
        else:
            weights, over_time = by_time(attention_weights(q, k, seen), len(query_times), len(key_times), groups)
            into.attention[name] = TemporalAttention(
                over_time, query_times.seconds_T, key_times.seconds_T, query_steps, key_steps
            )
            mixed = weights.to(v.dtype) @ v
        mixed_BSTD = rearrange(mixed, "(b g) h (s t) d -> b (g s) t (h d)", b=batch, t=len(query_times))
        return dict(zip(queries, mixed_BSTD.split(list(query_steps.values()), dim=2), strict=True))

    def seen(
        self, query_times: FrameTimes, key_times: FrameTimes, times: dict[str, FrameTimes], places: tuple[int, int]
    ) -> Tensor | None:
        """Who sees whom: true or false, or what is added to the scores (-inf for unseen); None where all see all alike.

        places: numbers of queries and keys, which are those of the times, repeated place by place.
        """
        seen, bias = self.mask.matrix(times), self.positions.bias(query_times, key_times)
        if bias is not None:
            seen = bias[None] if seen is None else bias[None].masked_fill(~seen, float("-inf"))
        if seen is None:
            return None
        rows, columns = places[0] // len(query_times), places[1] // len(key_times)
        return repeat(seen, "... q k -> ... (s q) (p k)", s=rows, p=columns)


def fused_attention(q_NhQD: Tensor, k_NhKD: Tensor, v_NhKD: Tensor, seen: Tensor | None) -> Tensor:
    """softmax(q k / sqrt(D)) v by torch's fused kernels, in parts where there are more places than they take."""
    if seen is not None and seen.is_floating_point():
        seen = seen.to(q_NhQD.dtype)
    if q_NhQD.shape[0] <= PLACES_AT_ONCE:
        return scaled_dot_product_attention(q_NhQD, k_NhKD, v_NhKD, attn_mask=seen)
    parts = zip(*(x.split(PLACES_AT_ONCE) for x in (q_NhQD, k_NhKD, v_NhKD)), strict=True)
    return torch.cat([scaled_dot_product_attention(*part, attn_mask=seen) for part in parts])


def attention_weights(q_NhQD: Tensor, k_NhKD: Tensor, seen: Tensor | None) -> Tensor:
    """softmax(q k / sqrt(D)) over the keys a query sees, (N, heads, Q, K), in float32."""
    with torch.autocast(q_NhQD.device.type, enabled=False):
        score = q_NhQD.float() @ k_NhKD.float().transpose(-2, -1) * q_NhQD.shape[-1] ** -0.5
        if seen is not None:
            score = score + seen if seen.is_floating_point() else score.masked_fill(~seen, float("-inf"))
        return score.softmax(dim=-1)


def by_time(weights: Tensor, queries: int, keys: int, groups: int) -> tuple[Tensor, Tensor]:
    """The weights, and their sums over the places of a frame, (B, places, heads, Tq, Tk): what is recorded.

    The weights returned are a product of what is recorded, which so lies on the way to the logits: a gradient with
    respect to it exists, and holds the shares of the places within a frame fixed.
    """
    apart = rearrange(weights, "(b g) h (s q) (p k) -> b (g s) h q p k", g=groups, q=queries, k=keys)
    over_time = apart.sum(dim=-2)
    if apart.shape[-2] == 1:
        apart = rearrange(over_time, "b s h q k -> b s h q 1 k")
    else:
        share = apart / rearrange(over_time, "b s h q k -> b s h q 1 k").clamp_min(1e-30)
        apart = rearrange(over_time, "b s h q k -> b s h q 1 k") * share
    return rearrange(apart, "b (g s) h q p k -> (b g) h (s q) (p k)", g=groups), over_time
