"""Published video networks as they are, with a probe on their features that learns.

The network is no submodule: its weights are none of the model's. So a checkpoint holds the probe alone, an optimiser
sees nothing else, and where features of clips are kept nobody reads the network's hundreds of megabytes.
"""

import sys
from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from baselines.attentive import AttentiveProbe, standardised
from baselines.contract import ClipModel, Features, Intermediates

State = dict[str, Tensor]
SEED = 0
"""of the random weights that a network has without published ones: every model of a name has the same"""


class Backbone(Protocol):
    """A published network in one size. What it is fed: `frames` frames of `crop` x `crop` pixels, RGB.

    steps: moments of its features; side: places along each side; width: numbers at each.
    """

    frames: int
    crop: int
    steps: int
    side: int
    width: int
    heads: int

    def build(self, state: State | None) -> nn.Module:
        """The library's own network with these weights, under any names they are published by, or with fresh ones.

        A ValueError names what the weights lack.
        """

    def features(self, net: nn.Module, clip_BCTHW: Tensor) -> Tensor:
        """Its last layer's (B, D, steps, side, side)."""


class FrozenModel(ClipModel):
    """`clip (B, C, T, H, W) -> logits (B, K)`. Only `probe` learns; its features are means over grid x grid places."""

    classifier = "probe.head"
    first_convs = ()

    def __init__(self, backbone: Backbone, *, num_grades: int, in_channels: int, grid: int):
        """grid: places along each side that features are averaged to, at most the network's own."""
        super().__init__()
        if not 1 <= grid <= backbone.side:
            raise ValueError(f"grid must be 1 to {backbone.side}, the network's own, not {grid}")
        self.backbone, self.grid = backbone, grid
        self.num_features, self.num_grades, self.in_channels = backbone.width, num_grades, in_channels
        self.probe = AttentiveProbe(backbone.width, backbone.heads, num_grades=num_grades, in_channels=in_channels)
        self.frozen_weights = f"random weights of seed {SEED}, torch {torch.__version__}"
        self.read: Callable[[], State] | None = None

    @property
    def learner(self) -> ClipModel:
        return self.probe

    def freeze_at(self, frozen_weights: str, read: Callable[[], State]) -> None:
        """Take the network's weights from `read`, when a clip first needs them. frozen_weights: tells them apart."""
        self.frozen_weights, self.read = frozen_weights, read
        self.__dict__.pop("net", None)

    @cached_property
    def net(self) -> nn.Module:
        # A cached property is not seen by nn.Module, so that what it holds is no submodule.
        with torch.inference_mode(False), torch.random.fork_rng():
            torch.manual_seed(SEED)
            net = self.backbone.build(self.read and self.read())
        if self.read:
            print(f"{len(net.state_dict())} tensors loaded from {self.frozen_weights}", file=sys.stderr)
        return net.eval().requires_grad_(False)

    def as_published(self, clip_BCTHW: Tensor) -> Tensor:
        """The clip with the network's own channels, frames and crop: frames are left out or shown again, in step."""
        frames, crop = clip_BCTHW.shape[2], self.backbone.crop
        seen = torch.arange(self.backbone.frames, device=clip_BCTHW.device) * frames // self.backbone.frames
        clip_BCTHW = clip_BCTHW.expand(-1, 3, -1, -1, -1)[:, :, seen]
        if clip_BCTHW.shape[-1] == crop:
            return clip_BCTHW
        frames_NCHW = rearrange(clip_BCTHW, "b c t h w -> (b t) c h w")
        frames_NCHW = F.interpolate(frames_NCHW, (crop, crop), mode="bilinear", antialias=True)
        return rearrange(frames_NCHW, "(b t) c h w -> b c t h w", t=len(seen))

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        """(B, steps, grid * grid, D), standardised over D: the first that a probe does, and the same every time."""
        seen_BCTHW = self.as_published(clip_BCTHW)
        x_BDTHW = self.backbone.features(self.net.to(clip_BCTHW.device), seen_BCTHW)
        if into is not None:
            span = clip_BCTHW.shape[2] / self.frame_rate
            middles = (torch.arange(self.backbone.frames, device=x_BDTHW.device) + 0.5) * span / self.backbone.frames
            times = middles.unflatten(0, (self.backbone.steps, -1)).mean(1) - 0.5 / self.frame_rate
            into.features["network"] = Features(x_BDTHW, times.clamp_min(0))
        # Moment by moment, for an export to ONNX knows this pooling and not that of three dimensions.
        pooled_NDHW = F.adaptive_avg_pool2d(rearrange(x_BDTHW, "b d t h w -> (b t) d h w"), self.grid)
        return standardised(rearrange(pooled_NDHW, "(b t) d h w -> b t (h w) d", t=self.backbone.steps))

    def forward_head(self, features_BTPD: Tensor, pre_logits: bool = False) -> Tensor:
        return self.probe.forward_head(features_BTPD, pre_logits)

    def reset_classifier(self, num_grades: int) -> None:
        self.probe.reset_classifier(num_grades)
        self.num_grades = num_grades

    def group_matcher(self, coarse: bool = False) -> dict:
        return {"stem": r"^probe\.query", "blocks": [(r"^probe\.attention", (0,)), (r"^probe\.", (1,))]}
