"""Late fusion: the features of SlowFast and TimeSformer, concatenated before one linear layer. A control."""

from __future__ import annotations

from torch import nn

from baselines.registry import ModelEntry, get_entry, register
from hybrid.model.two_nets import TwoNets, build_two_nets


def concatenation(widths: tuple[int, int], num_grades: int) -> nn.Linear:
    head = nn.Linear(sum(widths), num_grades)
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.bias)
    return head


def build(size: str, *, matched: bool = False, **options) -> TwoNets:
    """matched, options: see `build_two_nets`."""
    return build_two_nets(size, concatenation, matched=matched, **options)


register(
    ModelEntry(
        name="late_fusion",
        title="Late fusion",
        family="hybrid",
        build=build,
        reference="the late fusion of two whole networks, as in SlowFast-Meet-ViT",
        origin="hybrid.model, on our SlowFast and TimeSformer",
        licence="code Apache-2.0; official weights as SlowFast's and TimeSformer's (CC-BY-NC-4.0)",
        mean=get_entry("slowfast").mean,
        std=get_entry("slowfast").std,
        tiny="both at their tiny sizes",
        parameters=154_924_749,
        control=True,
    )
)
