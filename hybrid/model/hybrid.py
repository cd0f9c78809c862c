"""The hybrid: SlowFast in space, global attention in time.

::

          slow_BCTHW (T/alpha frames)           fast_BCTHW (T frames)
               |                                     |
             stem <----------- lateral ------------ stem
               |                                     |
             res2 <----------- lateral ------------ res2
               |                                     |
             res3 <----------- lateral ------------ res3
               |                                     |
             res4                                   res4
               +--- attention over time, all frames -+
               |    of both pathways, each place     |
               + <------------ lateral ------------- +
             res5                                   res5
               +--- attention over time, all frames -+
               |    of both pathways, each place     |
             pool                                   pool        mean, and zero-gated attentive pooling
               '------------- concatenate -----------'
                                   |
                           dropout, linear to K

SlowFast (Feichtenhofer et al., ICCV 2019) processes space hierarchically and time by short kernels; its
late stages are given what TimeSformer (Bertasius et al., ICML 2021) has, attention over all frames at each
place. The laterals stay local and go from Fast to Slow; the attention is global and goes both ways. Every added
branch ends in one zero factor, so a fresh hybrid computes exactly what its SlowFast computes, and takes the
SlowFast's checkpoints: `net.*` are the same keys.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines import slowfast
from baselines.contract import Features, Intermediates
from baselines.registry import ModelEntry, get_entry, register
from baselines.slowfast import STAGE_NAMES, SlowFast, fuse_lateral, pack_pathways, run_pathways, slow_frame_indices
from hybrid.model.attentive_pooling import AttentivePooling
from hybrid.model.clock import Clock
from hybrid.model.no_lateral import NoLateral
from hybrid.model.positions import POSITIONS, stretched
from hybrid.model.scope import Visibility
from hybrid.model.temporal_attention import CrossPathwayAttention

STAGES = {
    "none": (),
    "res5": ("res5",),
    "res4-5": ("res4", "res5"),
    "res3-5": ("res3", "res4", "res5"),
}
HEADS = ("pooled", "attentive")
WIDTH_AND_HEADS = {"paper": (256, 8), "tiny": (48, 4)}


class Hybrid(SlowFast):
    """`clip (B, C, T, H, W) -> logits (B, K)`; see the module's picture.

    temporal: attention by the name of the stage it follows. attentive: pooling by pathway, empty for the plain mean.
    """

    new_module_prefixes = ("temporal.", "attentive.")
    """parameters that no SlowFast checkpoint has; they start from nothing and want a larger learning rate"""

    def __init__(
        self, base: SlowFast, *, temporal: dict[str, CrossPathwayAttention], attentive: dict[str, AttentivePooling]
    ):
        super().__init__(
            base.net,
            num_grades=base.num_grades,
            in_channels=base.in_channels,
            alpha=base.alpha,
            slow_frames=base.slow_frames,
        )
        self.temporal = nn.ModuleDict(temporal)
        self.attentive = nn.ModuleDict(attentive)

    def clocks(self, num_frames: int, device=None) -> dict[str, Clock]:
        """The times of both pathways' steps, the same in every stage."""
        frames = {
            "slow": slow_frame_indices(num_frames, self.alpha, self.slow_frames, device),
            "fast": torch.arange(num_frames, device=device),
        }
        return {name: Clock.of_frames(frame_T, num_frames, self.frame_rate) for name, frame_T in frames.items()}

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> tuple[Tensor, Tensor]:
        """res5 of both pathways: (B, C_S, T/alpha, H/32, W/32) and (B, C_F, T, H/32, W/32)."""
        slow, fast = pack_pathways(clip_BCTHW, self.alpha, self.slow_frames)
        clocks = self.clocks(clip_BCTHW.shape[2], clip_BCTHW.device)
        for name, stage in zip(STAGE_NAMES, self.stages, strict=True):
            slow, fast = run_pathways(stage, slow, fast)
            if name in self.temporal:
                pathways = self.temporal[name]({"slow": slow, "fast": fast}, clocks, into, name)
                slow, fast = pathways["slow"], pathways["fast"]
            if into is not None:
                into.features[f"slow.{name}"] = Features(slow, clocks["slow"].seconds_T)
                into.features[f"fast.{name}"] = Features(fast, clocks["fast"].seconds_T)
            slow, fast = fuse_lateral(stage, slow, fast)
        return slow, fast

    def forward_head(self, features: tuple[Tensor, Tensor], pre_logits: bool = False) -> Tensor:
        pooled = {}
        for name, x_BCTHW in zip(("slow", "fast"), features, strict=True):
            pooled[name] = x_BCTHW.mean(dim=(2, 3, 4))
            if name in self.attentive:
                pooled[name] = self.attentive[name](x_BCTHW, pooled[name])
        pooled_BD = self.head.dropout(torch.cat([pooled["slow"], pooled["fast"]], dim=1))
        return pooled_BD if pre_logits else self.head.proj(pooled_BD)

    def resize_table(self, name: str, table: Tensor) -> Tensor | None:
        own = self.get_parameter(name) if name.endswith(".table_TD") else None
        return None if own is None else stretched(table, len(own)).to(table)

    def no_weight_decay(self) -> set[str]:
        """Embeddings, of pathways and of learned positions."""
        mine = {key for key, _ in self.named_parameters() if ".pathway." in key or key.endswith(".table_TD")}
        return super().no_weight_decay() | mine


def build(
    size: str,
    *,
    num_grades: int,
    num_frames: int,
    crop_size: int,
    in_channels: int,
    stages: str = "res4-5",
    scope: str = "both",
    window: str | int = "global",
    positions: str = "rotary_seconds",
    width: int | None = None,
    heads: int | None = None,
    laterals: bool = True,
    head: str = "attentive",
    **slowfast_options,
) -> Hybrid:
    """stages: attention after 'none', 'res5', 'res4-5' or 'res3-5'.
    scope: 'both' pathways read both; 'slow' or 'fast' reads itself, the other has no attention; 'separate' each
        reads itself; 'fast_to_slow' Slow reads Fast.
    window: frames of the clip, centred on its own, that a query sees: 3, 5, 9 or 'global'.
    positions: 'none', 'learned', 'rotary_index' (place in the own pathway) or 'rotary_seconds' (real time).
    width, heads: of the attention; by default 256 and 8 at paper size, 48 and 4 at tiny.
    laterals: False takes SlowFast's lateral connections away.
    head: 'pooled' is SlowFast's mean; 'attentive' adds a pooling by learned weights, zero at first.
    slowfast_options: of `baselines.slowfast.build`: alpha, slow_frames ('linspace', 'stride'), variant, dropout.
    """
    if stages not in STAGES:
        raise ValueError(f"stages must be one of {', '.join(STAGES)}, not {stages!r}")
    if positions not in POSITIONS:
        raise ValueError(f"positions must be one of {', '.join(POSITIONS)}, not {positions!r}")
    if head not in HEADS:
        raise ValueError(f"head must be one of {', '.join(HEADS)}, not {head!r}")
    if not isinstance(laterals, bool):
        raise ValueError(f"laterals must be True or False, not {laterals!r}")
    chosen = dict(scope=(scope, "both"), window=(window, "global"), positions=(positions, "rotary_seconds"))
    chosen |= dict(width=(width, None), heads=(heads, None))
    idle = [name for name, (value, default) in chosen.items() if value != default]
    if stages == "none" and idle:
        raise ValueError(f"stages='none' has no attention that {', '.join(idle)} could be about")

    default_width, default_heads = WIDTH_AND_HEADS[size]
    width = default_width if width is None else width
    heads = default_heads if heads is None else heads
    base = slowfast.build(
        size,
        num_grades=num_grades,
        num_frames=num_frames,
        crop_size=crop_size,
        in_channels=in_channels,
        **slowfast_options,
    )
    visibility = Visibility(scope, window)
    temporal = {
        stage: CrossPathwayAttention(
            stage_channels(base, stage),
            width=width,
            heads=heads,
            visibility=visibility,
            positions=POSITIONS[positions],
            num_frames=num_frames,
        )
        for stage in STAGES[stages]
    }
    pooled = stage_channels(base, "res5") if head == "attentive" else {}
    attentive = {pathway: AttentivePooling(channels, default_heads) for pathway, channels in pooled.items()}
    model = Hybrid(base, temporal=temporal, attentive=attentive)
    if temporal:
        refuse_blind_attention(model, visibility, num_frames)
    if not laterals:
        for stage in model.stages:
            stage.multipathway_fusion = NoLateral.instead_of(stage.multipathway_fusion)
    return model


def stage_channels(model: SlowFast, stage: str) -> dict[str, int]:
    """Output channels of both pathways of a residual stage."""
    blocks = model.stages[STAGE_NAMES.index(stage)].multipathway_blocks
    ends = (pathway.res_blocks[-1].branch2.conv_c.out_channels for pathway in blocks)
    return dict(zip(("slow", "fast"), ends, strict=True))


def refuse_blind_attention(model: Hybrid, visibility: Visibility, num_frames: int) -> None:
    """A window narrower than the distance of Slow's frames leaves each of them alone with itself."""
    clocks = model.clocks(num_frames)
    sees = visibility.mask(clocks)
    if visibility.read == visibility.asking == ("slow",) and sees is not None and sees.sum() == len(sees):
        raise ValueError(
            f"window={2 * visibility.reach + 1} with scope='slow' attends to nothing: the slow pathway's frames "
            f"{clocks['slow'].frame_T.tolist()} of {num_frames} are further apart"
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
        parameters=35_858_013,
        official=get_entry("slowfast").official,
        tiny="SlowFast's tiny size, attention 48 wide with 4 heads",
    )
)
