"""Global attention over time, at every place, between the pathways of a SlowFast."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from baselines.contract import Intermediates, TemporalAttention
from hybrid.model.clock import Clock
from hybrid.model.positions import NoPositions
from hybrid.model.scope import Visibility

PLACES_AT_ONCE = 65_535
"""more in one batch is an 'invalid configuration argument' for CUDA's kernels (pytorch issue 142228)"""


class CrossPathwayAttention(nn.Module):
    """The tokens of one place, of all frames of both pathways, attend to each other.

    ::

        slow_BCTHW                                     fast_BCTHW
            |                                              |
            +--- LayerNorm, Linear, + its vector --.       |
            |                                      |       |
            |       .-- LayerNorm, Linear, + its vector ---+
            |       |                              |       |
            |    at every place: T_S + T_F tokens attend   |
            |    to each other, turned to their seconds    |
            |       |                              |       |
            + <- Linear (zero at first)        Linear (zero) -> +
            |                                              |
        slow_BCTHW                                     fast_BCTHW

    The last projection is the branch's only zero factor: the layer starts as the identity, and that
    projection's gradient is not zero at the first step. Attention after Vaswani et al., Attention is all you
    need, 2017, eq. 1; a last factor of zero as in Wang et al., Non-local neural networks, 2018, and UniFormerV2 (Li
    et al., 2022); attention over time at one place as in TimeSformer (Bertasius et al., 2021, section 3).
    """

    def __init__(
        self,
        channels: dict[str, int],
        *,
        width: int,
        heads: int,
        visibility: Visibility,
        positions: type[NoPositions],
        num_frames: int,
    ):
        """channels: of each pathway's input, by the names 'slow' and 'fast'. num_frames: of the clips, usually."""
        super().__init__()
        if heads < 1 or width < 1 or width % heads:
            raise ValueError(f"width must be a multiple of heads, both from 1 up, not {width} and {heads}")
        self.heads = heads
        self.visibility = visibility
        self.positions = positions(width, heads, num_frames)
        used = visibility.pathways
        self.norm = nn.ModuleDict({name: nn.LayerNorm(channels[name]) for name in used})
        self.enter = nn.ModuleDict({name: nn.Linear(channels[name], width) for name in used})
        self.pathway = nn.ParameterDict({name: nn.Parameter(0.02 * torch.randn(width)) for name in used})
        self.to_q = nn.Linear(width, width)
        self.to_kv = nn.Linear(width, 2 * width)
        self.leave = nn.ModuleDict({name: nn.Linear(width, channels[name]) for name in visibility.asking})
        for layer in (*self.enter.values(), self.to_q, self.to_kv):
            nn.init.trunc_normal_(layer.weight, std=layer.in_features**-0.5)
            nn.init.zeros_(layer.bias)
        for layer in self.leave.values():
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        pathways: dict[str, Tensor],
        clocks: dict[str, Clock],
        into: Intermediates | None = None,
        name: str = "",
    ) -> dict[str, Tensor]:
        """Pathways `x_BCTHW` by name, all on one spatial grid, with the branch added to those that ask.

        With `into`, attention is computed by an explicit softmax and kept under `name`, (B, H W places, heads,
        Tq, Tk), queries and keys of Slow before those of Fast, and the norm of each branch over the norm of what
        it is added to under `slow.name` and `fast.name`.
        """
        visibility = self.visibility
        batch, _, _, height, width = pathways["slow"].shape
        asking, read = ({name: clocks[name] for name in names} for names in (visibility.asking, visibility.read))
        clock_q, clock_k = Clock.joined(list(asking.values())), Clock.joined(list(read.values()))

        token = {pathway: self.tokens(pathway, pathways[pathway], clocks[pathway]) for pathway in visibility.pathways}
        q = self.to_q(torch.cat([token[pathway] for pathway in asking], dim=1))
        kv = self.to_kv(torch.cat([token[pathway] for pathway in read], dim=1))
        q_NhTD = rearrange(q, "n t (h d) -> n h t d", h=self.heads)
        k_NhTD, v_NhTD = rearrange(kv, "n t (two h d) -> two n h t d", two=2, h=self.heads)
        q_NhTD = self.positions.turn(q_NhTD, clock_q)
        k_NhTD = self.positions.turn(k_NhTD, clock_k)

        mask_QK = visibility.mask(clocks)
        if into is None:
            mixed_NhTD = fused_attention(q_NhTD, k_NhTD, v_NhTD, mask_QK)
        else:
            weights_NhQK = attention_weights(q_NhTD, k_NhTD, mask_QK)
            weights = rearrange(weights_NhQK, "(b s) h q k -> b s h q k", b=batch)
            into.attention[name] = TemporalAttention(weights, clock_q.seconds_T, clock_k.seconds_T)
            # what is recorded lies on the way to the logits, so that gradients with respect to it exist
            mixed_NhTD = rearrange(weights, "b s h q k -> (b s) h q k").to(v_NhTD.dtype) @ v_NhTD

        mixed_NTD = rearrange(mixed_NhTD, "n h t d -> n t (h d)")
        steps = [len(clock.frame_T) for clock in asking.values()]
        out = dict(pathways)
        for pathway, part_NTD in zip(asking, mixed_NTD.split(steps, dim=1), strict=True):
            part = rearrange(part_NTD, "(b h w) t d -> b t h w d", b=batch, h=height, w=width)
            branch_BCTHW = rearrange(self.leave[pathway](part), "b t h w c -> b c t h w")
            if into is not None:
                norms = [x.detach().flatten(1).float().norm(dim=1) for x in (branch_BCTHW, pathways[pathway])]
                into.update_ratio[f"{pathway}.{name}"] = norms[0] / norms[1].clamp_min(1e-12)
            out[pathway] = pathways[pathway] + branch_BCTHW
        return out

    def tokens(self, pathway: str, x_BCTHW: Tensor, clock: Clock) -> Tensor:
        """(B H W, T, width): one pathway's features of each place, as a sequence in time."""
        x_BTHWC = rearrange(x_BCTHW, "b c t h w -> b t h w c")
        token = self.enter[pathway](self.norm[pathway](x_BTHWC)) + self.pathway[pathway]
        return self.positions.add(rearrange(token, "b t h w d -> (b h w) t d"), clock)


def fused_attention(q_NhTD: Tensor, k_NhTD: Tensor, v_NhTD: Tensor, mask_QK: Tensor | None) -> Tensor:
    """softmax(q k / sqrt(D)) v by torch's fused kernels, in parts where there are more places than they take."""
    if len(q_NhTD) <= PLACES_AT_ONCE:
        return scaled_dot_product_attention(q_NhTD, k_NhTD, v_NhTD, attn_mask=mask_QK)
    parts = zip(*(x_NhTD.split(PLACES_AT_ONCE) for x_NhTD in (q_NhTD, k_NhTD, v_NhTD)), strict=True)
    return torch.cat([scaled_dot_product_attention(*part, attn_mask=mask_QK) for part in parts])


def attention_weights(q_NhTD: Tensor, k_NhTD: Tensor, mask_QK: Tensor | None) -> Tensor:
    """softmax(q k / sqrt(D)) over the keys a query sees, (N, heads, Tq, Tk), in float32."""
    with torch.autocast(q_NhTD.device.type, enabled=False):
        score = q_NhTD.float() @ k_NhTD.float().transpose(-2, -1) * q_NhTD.shape[-1] ** -0.5
        if mask_QK is not None:
            score = score.masked_fill(~mask_QK, float("-inf"))
        return score.softmax(dim=-1)
