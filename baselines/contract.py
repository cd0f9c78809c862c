"""What every model is to its callers, and how it shows what happens inside.

Shape letters, here and everywhere: B batch, C channels, T frames, H W space, N tokens, D width,
K grades, h heads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor, nn

GradeLoss = Callable[[Tensor, Tensor], Tensor]
"""(logits_BK, target_BK) -> a scalar"""


@dataclass
class TemporalAttention:
    """One layer's attention over time, with the time each query and key was seen at.

    weights: (B, sites, heads, Tq, Tk), rows sum to 1; a site is one place of the layer's grid.
    query_times, key_times: seconds from the first frame, (Tq,) and (Tk,).
    query_pathways, key_pathways: how many queries and keys are of each pathway, in their order: Tq = 20 of
        {"slow": 4, "fast": 16}. A model with one pathway calls it "", which is the default.
    update_ratio: by query pathway, norm of the layer's update over the norm of what it is added to, (B,).
    """

    weights: Tensor
    query_times: Tensor
    key_times: Tensor
    query_pathways: dict[str, int] = field(default_factory=dict)
    key_pathways: dict[str, int] = field(default_factory=dict)
    update_ratio: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self):
        self.query_pathways = self.query_pathways or {"": len(self.query_times)}
        self.key_pathways = self.key_pathways or {"": len(self.key_times)}


@dataclass
class Features:
    """One stage's activation `x_BCTHW` with the time in seconds of each of its T steps."""

    x_BCTHW: Tensor
    times: Tensor
    pathway: str = ""
    """of a model with several: 'slow' or 'fast'"""


@dataclass
class Intermediates:
    """Filled by a forward pass that was asked for it; asking changes no output."""

    attention: dict[str, TemporalAttention] = field(default_factory=dict)
    """attention over time, by layer"""
    spatial_attention: dict[str, Tensor] = field(default_factory=dict)
    """attention within a frame, (B, T, heads, Nq, Nk), by layer"""
    joint_attention: dict[str, Tensor] = field(default_factory=dict)
    """attention over all tokens of a clip, class token first, (B, heads, N, N), by layer"""
    features: dict[str, Features] = field(default_factory=dict)
    """activations, by stage"""
    update_ratio: dict[str, Tensor] = field(default_factory=dict)
    """norm of a residual branch over the norm of what it is added to, (B,), by layer; of one pathway's by pathway and
    layer, `slow.res4`"""


@dataclass
class LoadReport:
    """What became of every tensor of the model and of the checkpoint, by the model's names."""

    source: str
    loaded: list[str] = field(default_factory=list)
    """taken, the reshaped among them"""
    reshaped: list[str] = field(default_factory=list)
    """position tables and input convolutions, fitted to the model's clip size and channels"""
    dropped_head: list[str] = field(default_factory=list)
    """the classifier, which the checkpoint has for another number of classes or not at all"""
    new: list[str] = field(default_factory=list)
    """of modules that the model adds to the published network"""
    missing: list[str] = field(default_factory=list)
    """of the model, and not in the checkpoint; only counters of batches may be"""
    unexpected: list[str] = field(default_factory=list)
    """of the checkpoint, and not in the model"""

    def __str__(self) -> str:
        parts = [f"{len(self.loaded)} tensors loaded from {self.source}"]
        if self.reshaped:
            parts.append(f"reshaped: {listed(self.reshaped)}")
        if self.dropped_head:
            parts.append("the classifier starts anew")
        if self.new:
            parts.append(f"{len(self.new)} tensors of added modules start anew")
        if self.unexpected:
            parts.append(f"not used: {listed(self.unexpected)}")
        return "; ".join(parts)


def mean_over_space(x_BCTHW: Tensor) -> Tensor:
    """(B, T, C)"""
    return x_BCTHW.mean(dim=(3, 4)).transpose(1, 2)


def listed(keys: list[str], most: int = 5) -> str:
    return ", ".join(keys[:most]) + (f" and {len(keys) - most} more" if len(keys) > most else "")


class ClipModel(nn.Module):
    """`model(clip_BCTHW) -> logits_BK`: a classifier of clips with timm's vocabulary.

    What a model does with the clip (take a frame, pack pathways, cut tubelets) happens inside, the
    caller's tensor is never modified, and any number of frames in {8, 16, 32} and any crop that is a
    multiple of 16 from 64 up is accepted whatever the model was built for.

    Subclasses set `num_features`, `num_grades`, `in_channels`, `classifier` and `first_convs`, and
    implement `forward_features`, `forward_head`, `reset_classifier` and `group_matcher`, and
    `resize_table` where they have position tables.
    """

    num_features: int
    """width of the vector the last linear layer sees"""
    num_grades: int
    in_channels: int
    classifier: str
    """path of the last linear layer, which a checkpoint for other grades cannot fill"""
    first_convs: tuple[str, ...]
    """paths of the convolutions that see the input channels"""
    new_module_prefixes: tuple[str, ...] = ()
    """modules added to a published network, which its checkpoints do not have"""
    load_report: LoadReport | None = None
    """what it took from the weights it started from; None: its weights are fresh"""
    class_token: bool = False
    """whether the answer is read off a class token: behind the last layer no place then reaches the logits"""
    temporal_layers: tuple[str, ...] = ()
    """layers of attention over time that all of the answer comes through, first to last; behind the last, nothing mixes
    moments. Empty where there is no such layer"""
    reads_frames: bool = False
    """whether it reads numbers of every frame off its time steps, with `read_frames`, in units of `set_units`, and goes
    on from these: its `forward_head` takes others in their place, `frames_BTD`"""
    other_weights: str = ""
    """of a model whose options change its parts: a hint on checkpoints of another choice"""
    parts: Mapping[str, str] = MappingProxyType({})
    """of a model made of others: the submodules that published weights exist for, and those models' names"""
    accepted_frames: tuple[int, ...] = (8, 16, 32)
    """of a clip"""
    frame_rate: float = 16.0
    """frames a second of the clips this model is given: what turns frame numbers into seconds"""

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None):
        """The unpooled features of the last stage; `into` is filled on the way when given."""
        raise NotImplementedError

    def forward_head(self, features, pre_logits: bool = False) -> Tensor:
        """Pool the features to (B, num_features) and, unless `pre_logits`, classify them: (B, K)."""
        raise NotImplementedError

    def time_steps(self, features, num_frames: int) -> list[Tensor]:
        """Of `forward_features` of clips of so many frames: what the model has at each of its time steps, a tensor
        (B, S, D) a pathway; each of S steps stands for num_frames / S frames, in their order.

        A model without moments (it sees one frame, or keeps a class token alone) has one step, its answer's features.
        """
        return [self.forward_head(features, pre_logits=True).unsqueeze(1)]

    def reset_classifier(self, num_grades: int) -> None:
        """Replace the last linear layer by a fresh one for `num_grades` grades."""
        raise NotImplementedError

    def group_matcher(self, coarse: bool = False):
        """Parameters by depth, as timm's layer-wise learning rates (`param_groups_layer_decay`) want them."""
        raise NotImplementedError

    def no_weight_decay(self) -> set[str]:
        """Names of the parameters of two and more dimensions that take no weight decay."""
        return set()

    def resize_table(self, name: str, table: Tensor) -> Tensor | None:
        """A checkpoint's position table `name` at this model's clip size, or None if `name` is no such table."""
        return None

    @property
    def learner(self) -> ClipModel:
        """What learns: the model, or on a frozen network what takes its `forward_features` of clips for clips."""
        return self

    def forward(self, clip_BCTHW: Tensor) -> Tensor:
        """Logits (B, K) of clips (B, C, T, H, W), float and normalised."""
        return self.forward_head(self.forward_features(self.checked(clip_BCTHW)))

    def forward_intermediates(self, clip_BCTHW: Tensor) -> tuple[Tensor, Intermediates]:
        """The same logits, and what happened inside."""
        into = Intermediates()
        logits_BK = self.forward_head(self.forward_features(self.checked(clip_BCTHW), into))
        return logits_BK, into

    def used_frames(self, num_frames: int) -> range:
        """Those of a clip's frames that the logits depend on: a clip of these alone gives the same."""
        return range(num_frames)

    def grade_loss(self, clip_BCTHW: Tensor, target_BK: Tensor, loss: GradeLoss) -> tuple[Tensor, dict[str, Tensor]]:
        """The logits, and by name the parts that training minimises the sum of.

        Here the one part is `loss` of the logits; a model with a loss of its own adds to it.
        """
        logits_BK = self(clip_BCTHW)
        return logits_BK, {"grades": loss(logits_BK, target_BK)}

    def frame_times(self, num_frames: int, device=None) -> Tensor:
        """(T,) seconds from the first frame."""
        return torch.arange(num_frames, device=device) / self.frame_rate

    def checked(self, clip_BCTHW: Tensor) -> Tensor:
        """The clip itself, or a ValueError that says what is wrong with its shape."""
        if clip_BCTHW.ndim != 5 or clip_BCTHW.shape[1] != self.in_channels:
            raise ValueError(
                f"expected clips of shape (batch, {self.in_channels} channels, frames, height, width), "
                f"got {tuple(clip_BCTHW.shape)}"
            )
        frames, height, width = clip_BCTHW.shape[2:]
        if frames not in self.accepted_frames:
            *others, last = self.accepted_frames
            raise ValueError(f"expected {', '.join(map(str, others))} or {last} frames, got {frames}")
        if height != width or height % 16 or height < 64:
            raise ValueError(f"expected a square crop, a multiple of 16 from 64 up, got {height}x{width}")
        return clip_BCTHW
