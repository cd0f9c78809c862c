"""The frame around every exchange over time: what it reads of the pathways, and how it is added to them."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from baselines.attention import norm_ratio
from baselines.contract import Intermediates
from hybrid.model.clock import Clock
from hybrid.model.landing import Landing
from hybrid.model.linear import linear
from hybrid.model.perceptron import Perceptron
from hybrid.model.scope import Visibility


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
            + <- Landing (zero at first) Landing (zero) -> +
            |                                              |
        slow_BCTHW                                     fast_BCTHW

    The last norm's scale is the branch's only zero factor: the branch starts as the identity, and that scale's gradient
    is not zero at the first step (as in Wang et al., Non-local neural networks, 2018, section 4). It also keeps an
    update from outgrowing what it is added to: see `Landing`. Subclasses say how tokens are mixed.
    """

    asks_with_tokens = True
    """whether a pathway that asks needs tokens of its own even where it reads the other alone"""

    def __init__(
        self,
        channels: dict[str, int],
        *,
        width: int,
        visibility: Visibility,
        gain: float = 0.0,
        drop_path: float = 0.0,
        pooled: bool = False,
        think: Perceptron | None = None,
    ):
        """channels: of each pathway's input, by the names 'slow' and 'fast'.
        gain: the updates' first scale.
        drop_path: share of clips that a training step leaves without the branch (Huang et al., 2016).
        pooled: one token a frame, its mean over space, whose update goes to every place of the frame.
        think: what is done between mixing and the way back.
        """
        super().__init__()
        if width < 1:
            raise ValueError(f"width must be 1 or more, not {width}")
        self.visibility = visibility
        self.pooled = pooled
        used = visibility.pathways if self.asks_with_tokens or think else visibility.read
        # drawn for both pathways, so that a scope changes no other pathway's first values
        enter = {name: linear(channels[name], width) for name in ("slow", "fast")}
        pathway = {name: nn.Parameter(0.02 * torch.randn(width)) for name in ("slow", "fast")}
        self.norm = nn.ModuleDict({name: nn.LayerNorm(channels[name]) for name in used})
        self.enter = nn.ModuleDict({name: enter[name] for name in used})
        self.pathway = nn.ParameterDict({name: pathway[name] for name in used})
        leave = {name: Landing(width, channels[name], gain) for name in ("slow", "fast")}
        self.leave = nn.ModuleDict({name: leave[name] for name in visibility.asking})
        self.think = think
        self.drop_path = StochasticDepth(drop_path, mode="row")

    def mix(
        self,
        token: dict[str, Tensor],
        clocks: dict[str, Clock],
        grid: tuple[int, int],
        into: Intermediates | None = None,
        name: str = "",
    ) -> dict[str, Tensor]:
        """Tokens `(B, S, T, width)` of the pathways read, S = H W places -> those of the pathways that ask.

        grid: H and W. With `into`, what there is to see is recorded under `name`.
        """
        raise NotImplementedError

    def forward(
        self,
        pathways: dict[str, Tensor],
        clocks: dict[str, Clock],
        into: Intermediates | None = None,
        name: str = "",
    ) -> dict[str, Tensor]:
        """Pathways `x_BCTHW` by name, all on one spatial grid -> what is to be added to those that ask.

        With `into`, the norm of each update over the norm of what it is added to is kept under `slow.name` and
        `fast.name`, besides what `mix` records.
        """
        seen = {pathway: self.view(pathways[pathway]) for pathway in self.enter}
        height, width = next(iter(seen.values())).shape[-2:]
        token = {pathway: self.tokens(pathway, x_BCTHW) for pathway, x_BCTHW in seen.items()}
        updates = {}
        for pathway, mixed_BSTD in self.mix(token, clocks, (height, width), into, name).items():
            if self.think is not None:
                mixed_BSTD = self.think(token[pathway], mixed_BSTD)
            update = rearrange(self.leave[pathway](mixed_BSTD), "b (h w) t c -> b c t h w", h=height)
            updates[pathway] = self.drop_path(update).expand_as(pathways[pathway])
            if into is not None:
                into.update_ratio[f"{pathway}.{name}"] = ratio_B = norm_ratio(updates[pathway], pathways[pathway])
                if name in into.attention:
                    into.attention[name].update_ratio[pathway] = ratio_B
        return updates

    def view(self, x_BCTHW: Tensor) -> Tensor:
        """What the branch looks at: the features, or their mean over space where it is pooled."""
        return x_BCTHW.mean(dim=(3, 4), keepdim=True) if self.pooled else x_BCTHW

    def tokens(self, pathway: str, x_BCTHW: Tensor) -> Tensor:
        """(B, H W, T, width): one pathway's features of each place, as a sequence in time."""
        x_BSTC = rearrange(x_BCTHW, "b c t h w -> b (h w) t c")
        return self.enter[pathway](self.norm[pathway](x_BSTC)) + self.pathway[pathway]
