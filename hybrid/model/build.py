"""The hybrid by its options, and its entry in the registry."""

from __future__ import annotations

from dataclasses import fields

from baselines import slowfast
from baselines.registry import ModelEntry, get_entry, register
from baselines.slowfast import STAGE_NAMES, SlowFast
from hybrid.model.attention import SPATIAL_CONTEXTS, CrossPathwayAttention
from hybrid.model.attention_mask import AttentionMask
from hybrid.model.branch import FeedForward, TemporalBranch
from hybrid.model.convolution import TemporalConvolution, TemporalShift
from hybrid.model.frame_part import FramePart
from hybrid.model.glimpse import Glimpse
from hybrid.model.heads import AttentivePooling, OrdinalClassifier
from hybrid.model.held_back import NoLateral
from hybrid.model.hybrid import QUARTERS, READ_STAGES, Hybrid
from hybrid.model.init import draw_seed, isolated_rng
from hybrid.model.options import STAGES, HybridOptions
from hybrid.model.positions import POSITIONS

WIDTHS = {
    "paper": {"attention": 256, "conv3": 312, "conv9": 312, "shift": 312},
    "tiny": {"attention": 48, "conv3": 58, "conv9": 58, "shift": 58},
}
"""What mixes without queries and keys is wider, so that all have as many parameters as attention, within a tenth"""
HEADS = {"paper": 8, "tiny": 4}
FRAME_WIDTHS = {"paper": 256, "tiny": 48}
"""of the part over all frames"""
RANDOM_GAIN = 0.1
"""of the updates where it is not zero: LayerScale's for shallow networks (Touvron et al., CaiT, 2021, section 2)"""
KERNELS = {"conv3": 3, "conv9": 9, "shift": 3}
"""frames of the clip that a mixer sees"""


def build(size: str, *, num_frames: int, crop_size: int, **options) -> Hybrid:
    """options: those of `HybridOptions`, with their values and meaning there, and those of `slowfast.build`."""
    own = {option.name for option in fields(HybridOptions)} & set(options)
    chosen = HybridOptions(**{name: options.pop(name) for name in own})
    base = slowfast.build(size, num_frames=num_frames, crop_size=crop_size, **options)
    seed = draw_seed()
    temporal = {
        stage: make_branch(chosen, size, stage_channels(base, stage), num_frames, seed, stage)
        for stage in STAGES[chosen.stages]
    }
    attentive = {}
    if chosen.head == "attentive":
        with isolated_rng(seed, "attentive"):
            channels = stage_channels(base, "res5")
            attentive = {pathway: AttentivePooling(width, HEADS[size]) for pathway, width in channels.items()}
    if chosen.classifier == "ordinal":
        with isolated_rng(seed, "classifier"):
            base.head.proj = OrdinalClassifier(base.num_features, base.num_grades)
    frames = glimpse = None
    if chosen.frame_mixer != "none":
        if chosen.glimpse:
            with isolated_rng(seed, "glimpse"):
                glimpse = Glimpse(base.in_channels, size, base.num_features)
        with isolated_rng(seed, "frames"):
            slow, fast = (
                QUARTERS * sum(stage_channels(base, stage)[pathway] for stage in stages)
                for pathway, stages in READ_STAGES.items()
            )
            frames = FramePart(
                [(base.alpha, slow), (1, fast)],
                kind=chosen.frame_mixer,
                width=FRAME_WIDTHS[size],
                heads=HEADS[size],
                num_frames=num_frames,
                num_features=base.num_features,
                glimpse=glimpse,
            )
    if not chosen.laterals:
        for stage in base.stages[:-1]:  # the last has none
            stage.multipathway_fusion = NoLateral(stage.multipathway_fusion)
    model = Hybrid(base, temporal=temporal, attentive=attentive, frames=frames, drop_pathway=chosen.drop_pathway)
    if temporal:
        refuse_blind_exchange(model, attention_mask(chosen), num_frames)
    return model


def make_branch(
    options: HybridOptions, size: str, channels: dict[str, int], num_frames: int, seed: int, stage: str
) -> TemporalBranch:
    """The branch after a stage. channels: of both pathways there, by name."""
    width = WIDTHS[size][options.mixer] if options.width is None else options.width
    heads = HEADS[size] if options.heads is None else options.heads
    with isolated_rng(seed, f"{stage} perceptron"):
        feed_forward = FeedForward(width, options.mlp * width) if options.mlp else None
    common = dict(
        width=width,
        mask=attention_mask(options),
        gain=RANDOM_GAIN if options.init == "random" else 0.0,
        drop_path=options.drop_path,
        pooled=options.pooled,
        feed_forward=feed_forward,
    )
    if options.mixer == "attention":
        if heads < 1 or width < 1 or width % heads:
            raise ValueError(f"width must be a multiple of heads, both from 1 up, not {width} and {heads}")
        with isolated_rng(seed, f"{stage} positions"):
            positions = POSITIONS[options.positions](width, heads, num_frames)
    with isolated_rng(seed, stage):
        if options.mixer == "attention":
            context = SPATIAL_CONTEXTS[options.keys]()
            return CrossPathwayAttention(channels, heads=heads, positions=positions, context=context, **common)
        if options.mixer == "shift":
            return TemporalShift(channels, **common)
        return TemporalConvolution(channels, kernel=KERNELS[options.mixer], **common)


def attention_mask(options: HybridOptions) -> AttentionMask:
    """Who sees whom: of a convolution or a shift, as far as its kernel reaches."""
    return AttentionMask(options.scope, KERNELS.get(options.mixer, options.window))


def stage_channels(model: SlowFast, stage: str) -> dict[str, int]:
    """Output channels of both pathways of a residual stage."""
    blocks = model.stages[STAGE_NAMES.index(stage)].multipathway_blocks
    ends = (pathway.res_blocks[-1].branch2.conv_c.out_channels for pathway in blocks)
    return dict(zip(("slow", "fast"), ends, strict=True))


def refuse_blind_exchange(model: Hybrid, mask: AttentionMask, num_frames: int) -> None:
    """A reach shorter than the distance of Slow's frames leaves each of them alone with itself."""
    times = model.frame_times_of_pathways(num_frames, device="cpu")
    sees = mask.matrix(times)
    if mask.key_pathways == mask.query_pathways == ("slow",) and sees is not None and sees.sum() == len(sees):
        raise ValueError(
            f"with scope='slow', {2 * mask.reach + 1} frames hold nothing but the query itself: the slow "
            f"pathway's frames {times['slow'].frame_T.tolist()} of {num_frames} are further apart"
        )


register(
    ModelEntry(
        name="hybrid",
        title="Hybrid (ours)",
        family="hybrid",
        build=build,
        hands_on_to=(HybridOptions, slowfast.build),
        reference="this project: SlowFast with attention over all frames, as tokens, before the mean over time",
        origin="hybrid.model, on pytorchvideo's SlowFast",
        licence="code Apache-2.0; official SlowFast weights Apache-2.0 (pytorchvideo)",
        mean=get_entry("slowfast").mean,
        std=get_entry("slowfast").std,
        parameters=36_057_622,
        official=get_entry("slowfast").official,
        tiny="SlowFast's tiny size, attention over frames 48 wide with 4 heads",
    )
)
