"""The hybrid's part over time: a small network over all frames of a clip, on what was read off each of them.

::

    slow_BCTHW, means of quarters       fast_BCTHW, means of quarters
         '------------- FrameReader -------------'
                           |
            FRAME_VALUES of every frame, (B, T, D)        in training turned by any angle and mirrored
                           |
              Linear, + a learned vector a frame
                           |
          LAYERS times: what mixes frames, perceptron     attention over the whole clip by default
                           |
                LayerNorm, mean over frames
                           |
              OutputProjection, zero at first  --> + pooled features

A frame is handed on as a few numbers that mean something, so that this part can be taught on true ones by itself, and
so that turning the cell in the picture is turning its vectors. Attention after Vaswani et al., Attention is all you
need, 2017, normalised first. The others stand in its place with as many parameters, within a twentieth: they are the
controls of the claim that it is the reach over the whole clip that helps.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from baselines.contract import Intermediates, TemporalAttention
from baselines.layers import norm_ratio
from hybrid.model.attention import attention_weights
from hybrid.model.branch import FeedForward, OutputProjection
from hybrid.model.frame_values import FRAME_VALUES, FrameReader, any_turns, turned
from hybrid.model.glimpse import Glimpse
from hybrid.model.init import linear
from hybrid.model.positions import FrameTimes, LearnedPositions, stretched

LAYERS, MLP = 2, 2
"""layers, and the width of their perceptrons in widths"""
POSITIONS_SPREAD = 0.2
"""as large as what a frame's numbers make of it, so that attention tells frames apart from the start"""
FRAME_MIXERS = ("none", "attention", "window3", "window5", "window9", "conv5", "conv31", "perceptron", "alone")


class FrameAttention(nn.Module):
    """Every frame sees those at most `reach` frames away, or all where it is None."""

    def __init__(self, width: int, heads: int, reach: int | None):
        super().__init__()
        self.heads, self.reach = heads, reach
        self.to_qkv, self.out = linear(width, 3 * width), linear(width, width)

    def forward(self, x_BTD: Tensor, times: Tensor, into: Intermediates | None = None, name: str = "") -> Tensor:
        """With `into`, the weights are kept under `name` as (B, 1, heads, T, T), and lie on the way to the output."""
        q, k, v = rearrange(self.to_qkv(x_BTD), "b t (three h d) -> three b h t d", three=3, h=self.heads)
        frame_T = torch.arange(x_BTD.shape[1], device=x_BTD.device)
        seen = None if self.reach is None else (frame_T[:, None] - frame_T).abs() <= self.reach
        if into is None:
            mixed = scaled_dot_product_attention(q, k, v, attn_mask=seen)
        else:
            weights_B1hTT = attention_weights(q, k, seen)[:, None]
            into.attention[name] = TemporalAttention(weights_B1hTT, times, times)
            mixed = weights_B1hTT[:, 0].to(v.dtype) @ v
        return self.out(rearrange(mixed, "b h t d -> b t (h d)"))


class FrameMixer(nn.Module):
    """What stands in attention's place: into `hidden` channels, mixed over time by `along`, GELU, and back.

    hidden is what makes parameters as many as attention's, 4 width^2.
    """

    def __init__(self, width: int, along: nn.Module, hidden: int):
        super().__init__()
        self.into, self.along, self.out = linear(width, hidden), along, linear(hidden, width)

    def forward(self, x_BTD: Tensor, times: Tensor, into: Intermediates | None = None, name: str = "") -> Tensor:
        x_BDT = rearrange(self.into(x_BTD), "b t d -> b d t")
        return self.out(gelu(rearrange(self.along(x_BDT), "b d t -> b t d")))


class OverAllFrames(nn.Linear):
    """(B, D, T) -> (B, D, T): every frame is a weighted sum of all, the same for all channels.

    A clip of another length is stretched to that it was made for, and back.
    """

    def forward(self, x_BDT: Tensor) -> Tensor:
        made_for, frames = self.in_features, x_BDT.shape[2]
        line_TX = rearrange(x_BDT, "b d t -> t (b d)")
        mixed_XT = super().forward(stretched(line_TX, made_for).T)
        return rearrange(stretched(mixed_XT.T, frames), "t (b d) -> b d t", b=len(x_BDT))


def make_mixer(kind: str, width: int, heads: int, num_frames: int) -> nn.Module:
    if kind == "attention" or kind.startswith("window"):
        return FrameAttention(width, heads, None if kind == "attention" else int(kind.removeprefix("window")) // 2)
    if kind.startswith("conv"):
        kernel = int(kind.removeprefix("conv"))
        hidden = round(4 * width**2 / (2 * width + kernel))
        return FrameMixer(width, nn.Conv1d(hidden, hidden, kernel, padding=kernel // 2, groups=hidden), hidden)
    if kind == "perceptron":
        return FrameMixer(width, OverAllFrames(num_frames, num_frames), round(2 * width - num_frames**2 / (2 * width)))
    return FrameMixer(width, nn.Identity(), 2 * width)


class FrameLayer(nn.Module):
    def __init__(self, width: int, mixer: nn.Module):
        super().__init__()
        self.norm, self.mixer, self.think = nn.LayerNorm(width), mixer, FeedForward(width, MLP * width)

    def forward(self, x_BTD: Tensor, times: Tensor, into: Intermediates | None, name: str) -> Tensor:
        update_BTD = self.mixer(self.norm(x_BTD), times, into, name)
        if into is not None:
            into.update_ratio[name] = norm_ratio(update_BTD, x_BTD)
        return self.think(x_BTD, update_BTD)


class FramePart(nn.Module):
    """See the module's picture. steps: as FrameReader's; num_features: of the pooled features it is added to.

    glimpse: a second look at the frames, or None. It needs the clip, so the model calls it."""

    def __init__(
        self,
        steps: list[tuple[int, int]],
        *,
        kind: str,
        width: int,
        heads: int,
        num_frames: int,
        num_features: int,
        glimpse: Glimpse | None = None,
    ):
        super().__init__()
        self.glimpse = glimpse
        self.read = FrameReader(steps)
        self.enter = linear(len(FRAME_VALUES), width)
        self.positions = LearnedPositions(width, heads, num_frames, POSITIONS_SPREAD)
        self.layers = nn.ModuleList(
            FrameLayer(width, make_mixer(kind, width, heads, num_frames)) for _ in range(LAYERS)
        )
        self.norm = nn.LayerNorm(width)
        self.leave = OutputProjection(width, num_features, gain=0.0)

    def forward(
        self, values_BTD: Tensor, times: FrameTimes, pooled_BC: Tensor, into: Intermediates | None = None
    ) -> Tensor:
        """FRAME_VALUES, read or true, and the pooled features -> these with what is added to them, (B, C).

        With `into`, the update ratio of a layer is its own times that of the whole part: where that adds nothing, its
        maps mean nothing.
        """
        if self.training:
            values_BTD = turned(values_BTD, any_turns(len(values_BTD), values_BTD))
        x_BTD = self.positions.add(self.enter(values_BTD), times)
        for number, layer in enumerate(self.layers):
            x_BTD = layer(x_BTD, times.seconds_T, into, f"frames.{number}")
        update_BC = self.leave(self.norm(x_BTD).mean(dim=1))
        if into is not None:
            ratio_B = norm_ratio(update_BC, pooled_BC)
            for number in range(LAYERS):
                into.update_ratio[name := f"frames.{number}"] *= ratio_B
                if name in into.attention:
                    into.attention[name].update_ratio[""] = into.update_ratio[name]
        return pooled_BC + update_BC
