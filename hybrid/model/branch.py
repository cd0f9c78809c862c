"""What every exchange over time shares: how it reads tokens off the pathways, and how it is added to them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import gelu

from baselines.contract import Intermediates
from baselines.layers import norm_ratio
from hybrid.model.attention_mask import AttentionMask
from hybrid.model.init import linear
from hybrid.model.positions import FrameTimes


@dataclass(frozen=True)
class PathwayTokens:
    """What a branch mixes: tokens x_BSTD by pathway, of S = H W places of a grid (H, W), and when they were seen."""

    x_BSTD: dict[str, Tensor]
    times: dict[str, FrameTimes]
    grid: tuple[int, int]


class OutputProjection(nn.Module):
    """How tokens come back to their pathway: projected to its channels, with a LayerNorm of scale `gain` at first.

    The norm bounds the update: its size is its scale's, which grows no faster than the learning rate lets a single
    number grow. A plain projection that is zero at first has no such bound: from fresh weights its update came to be
    more than twice as large as what it was added to. SlowFast's non-local blocks end in a zero-scaled norm as well
    (PySlowFast's `nonlocal_helper.py`); theirs is a BatchNorm, which a batch of a few clips makes noisy.
    """

    def __init__(self, width: int, channels: int, gain: float):
        super().__init__()
        self.project = linear(width, channels)
        self.norm = nn.LayerNorm(channels)
        nn.init.constant_(self.norm.weight, gain)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., channels)"""
        return self.norm(self.project(x))


class FeedForward(nn.Module):
    """token + seen, and on top of it a two-layer perceptron of their sum, normalised first.

    Own features and those of other moments pass one nonlinearity together, so that their relation can be
    computed at once; without it, that is left to the convolutions of the next stage, and after the last there are none.
    The second half of a layer of Vaswani et al., Attention is all you need, 2017, section 3.3, normalised as in
    TimeSformer (Bertasius et al., 2021, eq. 9).
    """

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = linear(width, hidden)
        self.narrow = linear(hidden, width)

    def forward(self, token_BSTD: Tensor, seen_BSTD: Tensor) -> Tensor:
        both_BSTD = token_BSTD + seen_BSTD
        return both_BSTD + self.narrow(gelu(self.widen(self.norm(both_BSTD))))


class TemporalBranch(nn.Module):
    """Tokens of every place and frame of both pathways, mixed over time: what is added back as a residual.

    ::

        slow_BCTHW                                     fast_BCTHW
            |                                              |
            +--- LayerNorm, Linear, + its vector --.       |
            |                                      |       |
            |       .-- LayerNorm, Linear, + its vector ---+
            |       |                              |       |
            |       |        mix over time         |       |
            |       |                              |       |
            + <-- OutputProjection    OutputProjection --> +      zero at first
            |                                              |
        slow_BCTHW                                     fast_BCTHW

    The last norm's scale is the branch's only zero factor: the branch starts as the identity, and that scale's gradient
    is not zero at the first step (as in Wang et al., Non-local neural networks, 2018, section 4). It also keeps an
    update from outgrowing what it is added to: see `OutputProjection`. Subclasses say how tokens are mixed.
    """

    queries_need_tokens = True
    """whether a pathway that is updated needs tokens of its own even where it reads the other alone"""

    def __init__(
        self,
        channels: dict[str, int],
        *,
        width: int,
        mask: AttentionMask,
        gain: float = 0.0,
        drop_path: float = 0.0,
        pooled: bool = False,
        feed_forward: FeedForward | None = None,
    ):
        """channels: of each pathway's input, by the names 'slow' and 'fast'.
        gain: the updates' first scale.
        drop_path: share of clips that a training step leaves without the branch (Huang et al., 2016).
        pooled: one token a frame, its mean over space, whose update goes to every place of the frame.
        feed_forward: what is done between mixing and the way back.
        """
        super().__init__()
        # Here, for torch's compiler comes with it: two seconds that a report, which asks for entries alone, can spare.
        from torchvision.ops import StochasticDepth

        if width < 1:
            raise ValueError(f"width must be 1 or more, not {width}")
        self.mask = mask
        self.pooled = pooled
        used = mask.pathways if self.queries_need_tokens or feed_forward else mask.key_pathways
        # drawn for both pathways, so that a scope changes no other pathway's first values
        enter = {name: linear(channels[name], width) for name in ("slow", "fast")}
        pathway = {name: nn.Parameter(0.02 * torch.randn(width)) for name in ("slow", "fast")}
        self.norm = nn.ModuleDict({name: nn.LayerNorm(channels[name]) for name in used})
        self.enter = nn.ModuleDict({name: enter[name] for name in used})
        self.pathway = nn.ParameterDict({name: pathway[name] for name in used})
        leave = {name: OutputProjection(width, channels[name], gain) for name in ("slow", "fast")}
        self.leave = nn.ModuleDict({name: leave[name] for name in mask.query_pathways})
        self.think = feed_forward  # as checkpoints call it
        self.drop_path = StochasticDepth(drop_path, mode="row")

    def mix(self, tokens: PathwayTokens, into: Intermediates | None = None, name: str = "") -> dict[str, Tensor]:
        """Tokens of the pathways read -> those of the pathways that are updated, (B, S, T, width) each.

        With `into`, what there is to see is recorded under `name`.
        """
        raise NotImplementedError

    def forward(
        self,
        pathways: dict[str, Tensor],
        times: dict[str, FrameTimes],
        into: Intermediates | None = None,
        name: str = "",
    ) -> dict[str, Tensor]:
        """Pathways `x_BCTHW` by name, all on one spatial grid -> what is to be added to those that are updated.

        With `into`, the norm of each update over the norm of what it is added to is kept under `slow.name` and
        `fast.name`, besides what `mix` records.
        """
        seen = {pathway: pathways[pathway] for pathway in self.enter}
        if self.pooled:
            seen = {pathway: x_BCTHW.mean(dim=(3, 4), keepdim=True) for pathway, x_BCTHW in seen.items()}
        height, width = next(iter(seen.values())).shape[-2:]
        x_BSTD = {pathway: self.tokens(pathway, x_BCTHW) for pathway, x_BCTHW in seen.items()}
        updates = {}
        for pathway, mixed_BSTD in self.mix(PathwayTokens(x_BSTD, times, (height, width)), into, name).items():
            if self.think is not None:
                mixed_BSTD = self.think(x_BSTD[pathway], mixed_BSTD)
            update = rearrange(self.leave[pathway](mixed_BSTD), "b (h w) t c -> b c t h w", h=height)
            updates[pathway] = self.drop_path(update).expand_as(pathways[pathway])
            if into is not None:
                into.update_ratio[f"{pathway}.{name}"] = ratio_B = norm_ratio(updates[pathway], pathways[pathway])
                if name in into.attention:
                    into.attention[name].update_ratio[pathway] = ratio_B
        return updates

    def tokens(self, pathway: str, x_BCTHW: Tensor) -> Tensor:
        """(B, H W, T, width): one pathway's features of each place, as a sequence in time."""
        x_BSTC = rearrange(x_BCTHW, "b c t h w -> b (h w) t c")
        return self.enter[pathway](self.norm[pathway](x_BSTC)) + self.pathway[pathway]
