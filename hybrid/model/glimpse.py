"""A second look at every frame: the head, cut out of the clip where it was read to be, and turned along its heading.

::

       clip_BCTHW      what was read off each frame, (B, T, D)
           |                 | head, heading
           '---- patches ----'     (B T, C, h, w): the same places of the same cell in every frame   <-.
                    |
            3 convolutions, mean across the head
                    |
        SLICES along the head, (B, T, C SLICES)
              |                    |
       mean over frames       corrections of what was read, turned back into the picture, LOOKS times -'
              |
     onto the pooled features

A network of strides and means has to find out by itself that a few pixels of a cell that swims through the picture hold
what it is made of, and then tells it from a mean over all places. Here what was read first says where they are, so that
what a head shows can be compared over all frames: attention along a path (Patrick et al., Keeping your eye on the
ball: Trajectory attention in video transformers, 2021), by cutting out (Jaderberg et al., Spatial transformer networks,
2015). Reading again with the cell in the middle and upright is a cascade (Toshev and Szegedy, DeepPose, 2014). Where to
look is not learned from what is seen there.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import grid_sample, normalize

from hybrid.model.frame_values import FRAME_VALUES, columns_of, turned
from hybrid.model.init import linear

LENGTH, WIDTH = 5 / 16, 1 / 4
"""of a patch, along the heading and across, of the picture's side: of a clip cut out for one cell, the head and
the tail's beginning"""
POINTS = {"paper": (32, 40), "tiny": (16, 20)}
"""of a patch, across and along"""
CHANNELS = {"paper": (16, 32, 64), "tiny": (8, 16, 16)}
STRIDES = {"paper": (2, 2, 2), "tiny": (1, 2, 2)}
NARROW = {"paper": 64, "tiny": 24}
"""features between what all frames show and the pooled features"""
LOOKS = 2
"""of networks of their own: the first finds the head, half a patch away from where it was read, the second sees it"""
SLICES = 5
"""along the patch"""
SPREAD = 0.25
"""half widths of the picture: that of heads' places, until a pretraining says what it was"""


class Glimpse(nn.Module):
    """See the module's picture. num_features: of the pooled features."""

    def __init__(self, in_channels: int, size: str, num_features: int):
        super().__init__()
        self.looks = nn.ModuleList(Look(in_channels, size) for _ in range(LOOKS))
        slices = SLICES * CHANNELS[size][-1]
        self.narrow, self.leave = linear(slices, NARROW[size]), linear(NARROW[size], num_features)
        nn.init.zeros_(self.leave.weight)  # nothing is added at first
        self.register_buffer("spread", torch.tensor(SPREAD))

    def forward(self, clip_BCTHW: Tensor, read_BTD: Tensor, told_BTD: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The clip and its FRAME_VALUES as they were read -> these corrected, (B, T, D), and what all its frames show
        in the last look, (B, X).

        told_BTD: values to go by in the last look, NaN where it is to go by what was found. In a pretraining it learns
        so what a head shows before heads are found.
        """
        values_BTD = read_BTD
        for look in self.looks:
            if told_BTD is not None and look is self.looks[-1]:
                values_BTD = torch.where(told_BTD.isnan(), values_BTD, told_BTD)
            corrections_BTD, slices_BTX = look(clip_BCTHW, values_BTD.detach(), self.spread)
            values_BTD = values_BTD + corrections_BTD
        return values_BTD, slices_BTX.mean(1)

    def shown_at(self, clip_BCTHW: Tensor, values_BTD: Tensor) -> Tensor:
        """What the frames of a clip, of any number, show in the last look at where these FRAME_VALUES say: (B, X)."""
        _, slices_BTX = self.looks[-1](clip_BCTHW, values_BTD, self.spread)
        return slices_BTX.mean(1)

    def add(self, pooled_BC: Tensor, shown_BX: Tensor) -> Tensor:
        """Pooled features, with what all frames show on top."""
        return pooled_BC + self.leave(self.narrow(shown_BX))


class Look(nn.Module):
    """At a patch of every frame."""

    def __init__(self, in_channels: int, size: str):
        super().__init__()
        self.across, self.along = POINTS[size]
        layers: list[nn.Module] = []
        for channels, stride in zip(CHANNELS[size], STRIDES[size], strict=True):
            convolution = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(channels), nn.ReLU()]
            in_channels = channels
        self.see = nn.Sequential(*layers)
        self.correct = linear(SLICES * in_channels, len(FRAME_VALUES))
        nn.init.zeros_(self.correct.weight)  # nothing is corrected at first

    def forward(self, clip_BCTHW: Tensor, values_BTD: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
        """The clip and where to look -> corrections (B, T, D), and what is seen (B, T, X)."""
        patches_NChw, turn_N22 = self.patches(clip_BCTHW, values_BTD, spread)
        seen_NCw = self.see(patches_NChw).mean(dim=2)
        slices_NX = rearrange(seen_NCw, "n c (slices w) -> n c slices w", slices=SLICES).mean(3).flatten(1)
        # As rows of one frame each, which that frame's directions turn.
        corrections_N1D = turned(self.correct(slices_NX)[:, None], turn_N22)
        in_time = dict(t=values_BTD.shape[1])
        return rearrange(corrections_N1D, "(b t) 1 d -> b t d", **in_time), rearrange(
            slices_NX, "(b t) x -> b t x", **in_time
        )

    def patches(self, clip_BCTHW: Tensor, values_BTD: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
        """(B T, C, h, w) of the clip, and their directions along and across, (B T, 2, 2), right and down."""
        values_ND = rearrange(values_BTD, "b t d -> (b t) d")
        along_N2 = normalize(values_ND[:, columns_of("heading")], eps=1e-3)
        across_N2 = torch.stack([-along_N2[:, 1], along_N2[:, 0]], dim=1)
        middle_N2 = spread * values_ND[:, columns_of("head")]
        ahead_w1 = centred(self.along, 2 * LENGTH, values_BTD)[:, None]
        aside_h11 = centred(self.across, 2 * WIDTH, values_BTD)[:, None, None]
        grid_Nhw2 = ahead_w1 * along_N2[:, None, None] + aside_h11 * across_N2[:, None, None]
        frames_NCHW = rearrange(clip_BCTHW, "b c t h w -> (b t) c h w")
        patches_NChw = grid_sample(
            frames_NCHW, middle_N2[:, None, None] + grid_Nhw2, padding_mode="border", align_corners=False
        )
        return patches_NChw, torch.stack([along_N2, across_N2], dim=1)


def centred(points: int, length: float, like: Tensor) -> Tensor:
    """(points,): the middles of as many parts of a length around 0."""
    return (torch.arange(points, device=like.device, dtype=like.dtype) + 0.5 - points / 2) * (length / points)
