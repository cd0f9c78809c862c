"""The branches that the axes ask for, one a stage."""

from __future__ import annotations

from hybrid.model.axes import STAGES, Axes
from hybrid.model.branch import TemporalBranch
from hybrid.model.keys import KEYS
from hybrid.model.perceptron import Perceptron
from hybrid.model.positions import POSITIONS
from hybrid.model.scope import Visibility
from hybrid.model.seeding import drawn_apart
from hybrid.model.temporal_attention import CrossPathwayAttention
from hybrid.model.temporal_convolution import TemporalConvolution, TemporalShift

WIDTHS = {
    "paper": {"attention": 256, "conv3": 312, "conv9": 312, "shift": 312},
    "tiny": {"attention": 48, "conv3": 58, "conv9": 58, "shift": 58},
}
"""What mixes without queries and keys is wider, so that all have as many parameters as attention, within a tenth"""
HEADS = {"paper": 8, "tiny": 4}
RANDOM_GAIN = 0.1
"""of the updates where it is not zero: LayerScale's for shallow networks (Touvron et al., CaiT, 2021, section 2)"""
KERNELS = {"conv3": 3, "conv9": 9, "shift": 3}
"""frames of the clip that a mixer sees"""


def make_branches(
    axes: Axes, size: str, channels: dict[str, dict[str, int]], num_frames: int, seed: int
) -> dict[str, TemporalBranch]:
    """A branch by the name of the stage it follows. channels: of both pathways, by stage."""
    return {stage: make_branch(axes, size, channels[stage], num_frames, seed, stage) for stage in STAGES[axes.stages]}


def make_branch(
    axes: Axes, size: str, channels: dict[str, int], num_frames: int, seed: int, stage: str
) -> TemporalBranch:
    width, heads = width_and_heads(axes, size)
    with drawn_apart(seed, f"{stage} perceptron"):
        think = Perceptron(width, axes.mlp * width) if axes.mlp else None
    frame = dict(
        width=width,
        visibility=visibility(axes),
        gain=RANDOM_GAIN if axes.init == "random" else 0.0,
        drop_path=axes.drop_path,
        pooled=axes.pooled,
        think=think,
    )
    if axes.mixer == "attention":
        if heads < 1 or width < 1 or width % heads:
            raise ValueError(f"width must be a multiple of heads, both from 1 up, not {width} and {heads}")
        with drawn_apart(seed, f"{stage} positions"):
            positions = POSITIONS[axes.positions](width, heads, num_frames)
    with drawn_apart(seed, stage):
        if axes.mixer == "attention":
            return CrossPathwayAttention(channels, heads=heads, positions=positions, keys=KEYS[axes.keys](), **frame)
        if axes.mixer == "shift":
            return TemporalShift(channels, **frame)
        return TemporalConvolution(channels, kernel=KERNELS[axes.mixer], **frame)


def width_and_heads(axes: Axes, size: str) -> tuple[int, int]:
    width = WIDTHS[size][axes.mixer] if axes.width is None else axes.width
    return width, HEADS[size] if axes.heads is None else axes.heads


def visibility(axes: Axes) -> Visibility:
    """Who sees whom: of a convolution or a shift, as far as its kernel reaches."""
    return Visibility(axes.scope, KERNELS.get(axes.mixer, axes.window))
