"""SlowFast and TimeSformer side by side, met by nothing but the head: two controls.

Late fusion concatenates their features before one linear layer. The ensemble lets each grade by itself and averages the
two distributions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import torch
from torch import Tensor, nn

from baselines import slowfast, timesformer
from baselines.contract import ClipModel, Intermediates
from baselines.pytorchvideo_net import block_depth
from baselines.registry import ModelEntry, get_entry, register
from baselines.slowfast import SlowFast
from baselines.timesformer import TimeSformer
from hybrid.model.init import draw_seed, isolated_rng

MATCHED = {
    "paper": dict(patch=32, dim=192, depth=3, heads=3),
    "tiny": dict(patch=16, dim=18, depth=2, heads=2),
}
"""TimeSformers so small that, with a whole SlowFast, they cost what the hybrid of the first design costs, within a
twentieth; that is more than the hybrid costs"""


def concatenation(widths: tuple[int, int], num_grades: int) -> nn.Linear:
    return small_at_first(nn.Linear(sum(widths), num_grades))


def small_at_first(layer: nn.Linear) -> nn.Linear:
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)
    return layer


class MeanOfMembers(nn.Module):
    """Features of both, side by side -> the logarithm of the mean of the two distributions, (B, K).

    Trained together on the mean's error. An ensemble of networks trained apart is the mean of two runs' predictions,
    and needs no model.
    """

    def __init__(self, widths: tuple[int, int], num_grades: int):
        super().__init__()
        self.out_features = num_grades
        self.members = nn.ModuleList(nn.Linear(width, num_grades) for width in widths)
        for member in self.members:
            small_at_first(member)

    def forward(self, pooled_BD: Tensor) -> Tensor:
        parts = pooled_BD.split([member.in_features for member in self.members], dim=1)
        answers = [member(part).float().log_softmax(-1) for member, part in zip(self.members, parts, strict=True)]
        return torch.stack(answers).logsumexp(0) - math.log(len(answers))

    def input_layers(self) -> list[tuple[Tensor, Tensor]]:
        return [(member.weight, member.bias) for member in self.members]


class TwoNets(ClipModel):
    """`clip (B, C, T, H, W) -> logits (B, K)`: the pooled features of both, and one head over them.

    head: (B, D_S + D_T) -> (B, K), SlowFast's features first. Its parameters are the only ones shared.
    """

    classifier = "head"

    def __init__(
        self,
        slowfast: SlowFast,
        timesformer: TimeSformer,
        make_head: Callable[[tuple[int, int], int], nn.Module],
        *,
        matched: bool,
    ):
        super().__init__()
        self.slowfast, self.timesformer, self.make_head = slowfast, timesformer, make_head
        self.num_grades, self.in_channels = slowfast.num_grades, slowfast.in_channels
        self.widths = slowfast.num_features, timesformer.num_features
        self.num_features = sum(self.widths)
        self.first_convs = tuple(f"{name}.{path}" for name, net in self.named_children() for path in net.first_convs)
        slowfast.head.proj, timesformer.head = nn.Identity(), nn.Identity()  # ours stands in their place
        self.head = make_head(self.widths, self.num_grades)
        # one that was made small has no published weights
        self.parts = {name: name for name in (("slowfast",) if matched else ("slowfast", "timesformer"))}
        self.new_module_prefixes = ("timesformer.",) if matched else ()

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> tuple:
        """What both have before pooling: see there."""
        return tuple(net.forward_features(clip_BCTHW, into) for net in (self.slowfast, self.timesformer))

    def forward_head(self, features: tuple, pre_logits: bool = False) -> Tensor:
        nets = self.slowfast, self.timesformer
        pooled = [net.forward_head(seen, pre_logits=True) for net, seen in zip(nets, features, strict=True)]
        pooled_BD = torch.cat(pooled, dim=1)
        return pooled_BD if pre_logits else self.head(pooled_BD)

    def time_steps(self, features: tuple, num_frames: int) -> list[Tensor]:
        nets = self.slowfast, self.timesformer
        return [x for net, seen in zip(nets, features, strict=True) for x in net.time_steps(seen, num_frames)]

    def reset_classifier(self, num_grades: int) -> None:
        self.head = self.make_head(self.widths, num_grades).to(next(self.head.parameters()))
        self.num_grades = num_grades

    def resize_table(self, name: str, table: Tensor) -> Tensor | None:
        net, _, inside = name.partition(".")
        return self.get_submodule(net).resize_table(inside, table)

    def no_weight_decay(self) -> set[str]:
        return {
            f"{name}.{key}" for name in ("slowfast", "timesformer") for key in getattr(self, name).no_weight_decay()
        }

    def group_matcher(self, coarse: bool = False):
        """SlowFast's depth; TimeSformer's layers are spread over the same stages."""
        depth, last = len(self.timesformer.blocks), 0 if coarse else 999

        def of(name: str) -> tuple[int, int]:
            net, _, inside = name.partition(".")
            if net == "slowfast":
                return block_depth(inside, coarse)
            block = re.match(r"blocks\.(\d+)", inside)
            stage = 1 + 4 * int(block[1]) // depth if block else 4 if inside.startswith("norm.") else 0
            return (6 if net == "head" else stage), last

        return of


def build_two_nets(
    size: str,
    make_head: Callable[[tuple[int, int], int], nn.Module],
    *,
    matched: bool,
    num_frames: int,
    crop_size: int,
    **options,
) -> TwoNets:
    """matched: a TimeSformer so small that both cost what the hybrid costs, or, False, both at their own size.

    options: those of `baselines.slowfast.build`.
    """
    if not isinstance(matched, bool):
        raise ValueError(f"matched must be True or False, not {matched!r}")
    shape = dict(num_frames=num_frames, crop_size=crop_size)
    first = slowfast.build(size, **shape, **options)
    dims = MATCHED[size] if matched else timesformer.SIZES[size]
    seed = draw_seed()
    with isolated_rng(seed, "timesformer"):
        second = TimeSformer(**shape, **dims, num_grades=first.num_grades, in_channels=first.in_channels, drop_path=0.1)
    with isolated_rng(seed, "head"):
        return TwoNets(first, second, make_head, matched=matched)


def build_late_fusion(size: str, *, matched: bool = False, **options) -> TwoNets:
    """matched, options: see `build_two_nets`."""
    return build_two_nets(size, concatenation, matched=matched, **options)


def build_ensemble(size: str, *, matched: bool = True, **options) -> TwoNets:
    """matched, options: see `build_two_nets`."""
    return build_two_nets(size, MeanOfMembers, matched=matched, **options)


CONTROL = dict(
    family="hybrid",
    hands_on_to=(slowfast.build,),
    origin="hybrid.model, on our SlowFast and TimeSformer",
    mean=get_entry("slowfast").mean,
    std=get_entry("slowfast").std,
    control=True,
)
register(
    ModelEntry(
        name="late_fusion",
        title="Late fusion",
        build=build_late_fusion,
        reference="the late fusion of two whole networks, as in SlowFast-Meet-ViT",
        licence="code Apache-2.0; official weights as SlowFast's and TimeSformer's (CC-BY-NC-4.0)",
        tiny="both at their tiny sizes",
        parameters=154_924_749,
        **CONTROL,
    )
)
register(
    ModelEntry(
        name="ensemble",
        title="Ensemble",
        build=build_ensemble,
        reference="the mean of two networks' distributions, at the hybrid's cost",
        licence="code Apache-2.0; official SlowFast weights Apache-2.0 (pytorchvideo)",
        tiny="SlowFast's tiny size, with a TimeSformer of 2 layers and width 18",
        parameters=36_151_826,
        **CONTROL,
    )
)
