"""What the six image models share: they see the clip's first frame, through a network of timm's.

The network keeps timm's parameter names inside `net`, so that timm's files load.
"""

import math
import re
from collections.abc import Iterable

import torch
from einops import rearrange
from torch import Tensor, nn

from baselines.contract import ClipModel, Features, Intermediates


class FrameModel(ClipModel):
    """A timm network `net` as a model of clips. Subclasses write out `forward_features`, name `first_convs`."""

    accepted_frames = (1, 8, 16, 32)

    def __init__(self, net: nn.Module, *, num_grades: int, in_channels: int):
        super().__init__()
        self.net = net
        self.num_grades = num_grades
        self.in_channels = in_channels
        self.num_features = net.head_hidden_size
        self.classifier = next(name for name, module in self.named_modules() if module is net.get_classifier())

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        return self.net.forward_head(features, pre_logits=pre_logits)

    def reset_classifier(self, num_grades: int) -> None:
        self.net.reset_classifier(num_grades)
        self.num_grades = num_grades

    def used_frames(self, num_frames: int) -> range:
        return range(1)

    def no_weight_decay(self) -> set[str]:
        names = self.net.no_weight_decay() if hasattr(self.net, "no_weight_decay") else ()
        return {f"net.{name}" for name in names} & {name for name, _ in self.named_parameters()}

    def group_matcher(self, coarse: bool = False) -> dict:
        """timm's own, with its patterns moved below `net`."""
        groups = self.net.group_matcher(coarse=coarse)
        return {group: below_net(spec) for group, spec in groups.items()}


def below_net(spec: str | Iterable | None):
    """timm's pattern, or list of (pattern, order), for names that begin with `net.`."""
    if spec is None:
        return None
    if isinstance(spec, str):
        return r"^net\.(?:" + re.sub(r"(^|\|)\^", r"\1", spec) + ")"
    return [(below_net(pattern), order) for pattern, order in spec]


def record(into: Intermediates | None, name: str, x_BCHW: Tensor) -> Tensor:
    """Keep a stage's map of the first frame, which is at time 0, where `into` is given.

    The returned map is made from the kept one, so that gradients with respect to that exist.
    """
    if into is None:
        return x_BCHW
    x_BCTHW = x_BCHW.unsqueeze(2)
    into.features[name] = Features(x_BCTHW, torch.zeros(1, device=x_BCHW.device))
    return x_BCTHW.squeeze(2)


def record_tokens(into: Intermediates, name: str, x_BND: Tensor, prefix: int) -> Tensor:
    """Keep the tokens after the first `prefix` as a map; the returned tokens are made from that map."""
    special, places = x_BND[:, :prefix], x_BND[:, prefix:]
    height = math.isqrt(places.shape[1])
    map_BDHW = rearrange(places, "b (h w) d -> b d h w", h=height)
    map_BDHW = record(into, name, map_BDHW)
    return torch.cat([special, rearrange(map_BDHW, "b d h w -> b (h w) d")], dim=1)
