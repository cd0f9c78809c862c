"""From the axes to a hybrid; importing this registers it."""

from __future__ import annotations

from dataclasses import fields

from baselines import slowfast
from baselines.registry import ModelEntry, get_entry, register
from baselines.slowfast import STAGE_NAMES, SlowFast
from hybrid.model.attentive_pooling import AttentivePooling
from hybrid.model.axes import Axes
from hybrid.model.branches import HEADS, make_branches, visibility
from hybrid.model.hybrid import Hybrid
from hybrid.model.no_lateral import NoLateral
from hybrid.model.ordinal import OrdinalClassifier
from hybrid.model.scope import Visibility
from hybrid.model.seeding import draw_seed, drawn_apart


def build(size: str, *, num_frames: int, crop_size: int, **options) -> Hybrid:
    """options: those of `Axes`, with their values and meaning there, and those of `baselines.slowfast.build`."""
    of_axes = {axis.name for axis in fields(Axes)} & set(options)
    axes = Axes(**{name: options.pop(name) for name in of_axes})
    base = slowfast.build(size, num_frames=num_frames, crop_size=crop_size, **options)
    seed = draw_seed()
    channels = {stage: stage_channels(base, stage) for stage in STAGE_NAMES[1:]}
    temporal = make_branches(axes, size, channels, num_frames, seed)
    attentive = {}
    if axes.head == "attentive":
        with drawn_apart(seed, "attentive"):
            attentive = {name: AttentivePooling(width, HEADS[size]) for name, width in channels["res5"].items()}
    model = Hybrid(base, temporal=temporal, attentive=attentive, drop_pathway=axes.drop_pathway)
    if axes.classifier == "ordinal":
        with drawn_apart(seed, "classifier"):
            model.head.proj = OrdinalClassifier(model.num_features, model.num_grades)
    if temporal:
        refuse_blind_exchange(model, visibility(axes), num_frames)
    if not axes.laterals:
        for stage in model.stages:
            stage.multipathway_fusion = NoLateral.instead_of(stage.multipathway_fusion)
    return model


def stage_channels(model: SlowFast, stage: str) -> dict[str, int]:
    """Output channels of both pathways of a residual stage."""
    blocks = model.stages[STAGE_NAMES.index(stage)].multipathway_blocks
    ends = (pathway.res_blocks[-1].branch2.conv_c.out_channels for pathway in blocks)
    return dict(zip(("slow", "fast"), ends, strict=True))


def refuse_blind_exchange(model: Hybrid, visibility: Visibility, num_frames: int) -> None:
    """A reach shorter than the distance of Slow's frames leaves each of them alone with itself."""
    clocks = model.clocks(num_frames, device="cpu")
    sees = visibility.mask(clocks)
    if visibility.read == visibility.asking == ("slow",) and sees is not None and sees.sum() == len(sees):
        raise ValueError(
            f"with scope='slow', {2 * visibility.reach + 1} frames hold nothing but the query itself: the slow "
            f"pathway's frames {clocks['slow'].frame_T.tolist()} of {num_frames} are further apart"
        )


register(
    ModelEntry(
        name="hybrid",
        title="Hybrid (ours)",
        family="hybrid",
        build=build,
        reference="this project: SlowFast with cross-pathway attention over time after res4 and res5",
        origin="hybrid.model, on pytorchvideo's SlowFast",
        licence="code Apache-2.0; official SlowFast weights Apache-2.0 (pytorchvideo)",
        mean=get_entry("slowfast").mean,
        std=get_entry("slowfast").std,
        parameters=35_864_925,
        official=get_entry("slowfast").official,
        tiny="SlowFast's tiny size, attention 48 wide with 4 heads",
    )
)
