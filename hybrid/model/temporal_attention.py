"""Global attention over time between the pathways of a SlowFast."""

from __future__ import annotations

import torch
from einops import rearrange, repeat
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from baselines.contract import Intermediates, TemporalAttention
from hybrid.model.branch import TemporalBranch
from hybrid.model.clock import Clock
from hybrid.model.keys import SamePlace
from hybrid.model.linear import linear
from hybrid.model.positions import NoPositions

PLACES_AT_ONCE = 65_535
"""more in one batch is an 'invalid configuration argument' for CUDA's kernels (pytorch issue 142228)"""


class CrossPathwayAttention(TemporalBranch):
    """The tokens of one place, of all frames of both pathways, attend to each other, turned to their seconds.

    Attention after Vaswani et al., Attention is all you need, 2017, eq. 1; over time at one place as in TimeSformer
    (Bertasius et al., 2021, section 3). `keys` widens what a query sees from its own place, `positions` says how it
    knows times.
    """

    def __init__(
        self,
        channels: dict[str, int],
        *,
        width: int,
        heads: int,
        positions: NoPositions,
        keys: SamePlace,
        **frame,
    ):
        """frame: visibility, init, drop_path, pooled: see `TemporalBranch`."""
        super().__init__(channels, width=width, **frame)
        self.heads = heads
        self.keys = keys
        self.to_q = linear(width, width)
        self.to_kv = linear(width, 2 * width)
        self.positions = positions

    def mix(
        self,
        token: dict[str, Tensor],
        clocks: dict[str, Clock],
        grid: tuple[int, int],
        into: Intermediates | None = None,
        name: str = "",
    ) -> dict[str, Tensor]:
        """With `into`, attention is computed by an explicit softmax and kept under `name` as (B, places, heads, Tq,
        Tk), queries and keys of Slow before those of Fast; where a query sees a frame at several places, their sum.
        """
        asking, read = (
            {name: clocks[name] for name in names} for names in (self.visibility.asking, self.visibility.read)
        )
        clock_q, clock_k = Clock.joined(list(asking.values())), Clock.joined(list(read.values()))
        token = {pathway: self.positions.add(x_BSTD, clocks[pathway]) for pathway, x_BSTD in token.items()}
        q = self.to_q(torch.cat([token[pathway] for pathway in asking], dim=2))
        kv = self.to_kv(self.keys.view(torch.cat([token[pathway] for pathway in read], dim=2)))
        q = self.positions.turn(rearrange(q, "b s t (h d) -> b s h t d", h=self.heads), clock_q)
        k, v = rearrange(kv, "b s t (two h d) -> two b s h t d", two=2, h=self.heads)
        k, v = (self.keys.around(x_BShTD, grid) for x_BShTD in (self.positions.turn(k, clock_k), v))

        batch, groups = q.shape[0], k.shape[1]
        if self.keys.shares_keys:  # the queries of all places are one long row
            q = rearrange(q, "b s h t d -> b 1 h (s t) d")
        q, k, v = (rearrange(x, "b g h n d -> (b g) h n d") for x in (q, k, v))
        seen = self.seen(clock_q, clock_k, clocks, places=(q.shape[2], k.shape[2]))
        if into is None:
            mixed = fused_attention(q, k, v, seen)
        else:
            weights, over_time = by_time(attention_weights(q, k, seen), len(clock_q), len(clock_k), groups)
            query_pathways, key_pathways = (
                {pathway: len(clock) for pathway, clock in of.items()} for of in (asking, read)
            )
            into.attention[name] = TemporalAttention(
                over_time, clock_q.seconds_T, clock_k.seconds_T, query_pathways, key_pathways
            )
            mixed = weights.to(v.dtype) @ v
        mixed_BSTD = rearrange(mixed, "(b g) h (s t) d -> b (g s) t (h d)", b=batch, t=len(clock_q))
        steps = [len(clock) for clock in asking.values()]
        return dict(zip(asking, mixed_BSTD.split(steps, dim=2), strict=True))

    def seen(self, clock_q: Clock, clock_k: Clock, clocks: dict[str, Clock], places: tuple[int, int]) -> Tensor | None:
        """Who sees whom: true or false, or what is added to the scores (-inf for unseen); None where all see all alike.

        places: numbers of queries and keys, which are those of the clocks, repeated place by place.
        """
        seen, bias = self.visibility.mask(clocks), self.positions.bias(clock_q, clock_k)
        if bias is not None:
            seen = bias[None] if seen is None else bias[None].masked_fill(~seen, float("-inf"))
        if seen is None:
            return None
        return repeat(seen, "... q k -> ... (s q) (p k)", s=places[0] // len(clock_q), p=places[1] // len(clock_k))


def fused_attention(q_NhQD: Tensor, k_NhKD: Tensor, v_NhKD: Tensor, seen: Tensor | None) -> Tensor:
    """softmax(q k / sqrt(D)) v by torch's fused kernels, in parts where there are more places than they take."""
    if seen is not None and seen.is_floating_point():
        seen = seen.to(q_NhQD.dtype)
    if len(q_NhQD) <= PLACES_AT_ONCE:
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
