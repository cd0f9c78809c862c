"""SlowFast and TimeSformer side by side, met by nothing but the head: the controls of fusion."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from torch import Tensor, nn

from baselines import slowfast, timesformer
from baselines.contract import ClipModel, Intermediates
from baselines.pytorchvideo_net import block_depth
from baselines.slowfast import SlowFast
from baselines.timesformer import TimeSformer
from hybrid.model.seeding import draw_seed, drawn_apart

MATCHED = {
    "paper": dict(patch=32, dim=192, depth=3, heads=3),
    "tiny": dict(patch=16, dim=18, depth=2, heads=2),
}
"""TimeSformers so small that, with a whole SlowFast, they cost what the hybrid costs, within a twentieth"""


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
    with drawn_apart(seed, "timesformer"):
        second = TimeSformer(**shape, **dims, num_grades=first.num_grades, in_channels=first.in_channels, drop_path=0.1)
    with drawn_apart(seed, "head"):
        return TwoNets(first, second, make_head, matched=matched)
