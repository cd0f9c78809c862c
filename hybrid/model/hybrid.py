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

from dataclasses import fields

import torch
from torch import Tensor, nn

from baselines import slowfast
from baselines.contract import Features, Intermediates
from baselines.registry import ModelEntry, get_entry, register
from baselines.slowfast import STAGE_NAMES, SlowFast, fuse_lateral, pack_pathways, run_pathways, slow_frame_indices
from hybrid.model.attentive_pooling import AttentivePooling
from hybrid.model.axes import Axes
from hybrid.model.branch import TemporalBranch
from hybrid.model.branches import HEADS, make_branches, visibility
from hybrid.model.clock import Clock
from hybrid.model.drop_pathway import DropPathway, handed_over
from hybrid.model.no_lateral import NoLateral
from hybrid.model.ordinal import OrdinalClassifier
from hybrid.model.scope import Visibility
from hybrid.model.seeding import draw_seed, drawn_apart


class Hybrid(SlowFast):
    """`clip (B, C, T, H, W) -> logits (B, K)`; see the module's picture.

    temporal: branches by the name of the stage they follow. attentive: pooling by pathway, empty for the plain mean.
    """

    new_module_prefixes = ("temporal.", "attentive.")
    """parameters that no SlowFast checkpoint has; they start from nothing and want a larger learning rate"""

    def __init__(
        self,
        base: SlowFast,
        *,
        temporal: dict[str, TemporalBranch],
        attentive: dict[str, AttentivePooling],
        drop_pathway: float = 0.0,
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
        self.drop_pathway = DropPathway(drop_pathway)

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
        keep_B1111 = self.drop_pathway.draw(len(clip_BCTHW), clip_BCTHW.device)
        for name, stage in zip(STAGE_NAMES, self.stages, strict=True):
            slow, fast = run_pathways(stage, slow, fast)
            if name in self.temporal:
                shown = {"slow": slow, "fast": handed_over(fast, keep_B1111)}
                update = self.temporal[name](shown, clocks, into, name)
                slow = slow + update["slow"] if "slow" in update else slow
                fast = fast + update["fast"] if "fast" in update else fast
            if into is not None:
                into.features[f"slow.{name}"] = Features(slow, clocks["slow"].seconds_T)
                into.features[f"fast.{name}"] = Features(fast, clocks["fast"].seconds_T)
            channels = slow.shape[1]
            slow, fast = fuse_lateral(stage, slow, fast)
            if keep_B1111 is not None:
                slow = torch.cat([slow[:, :channels], handed_over(slow[:, channels:], keep_B1111)], dim=1)
        return slow, handed_over(fast, keep_B1111)

    def forward_head(self, features: tuple[Tensor, Tensor], pre_logits: bool = False) -> Tensor:
        pooled = {}
        for name, x_BCTHW in zip(("slow", "fast"), features, strict=True):
            pooled[name] = x_BCTHW.mean(dim=(2, 3, 4))
            if name in self.attentive:
                pooled[name] = self.attentive[name](x_BCTHW, pooled[name])
        pooled_BD = self.head.dropout(torch.cat([pooled["slow"], pooled["fast"]], dim=1))
        return pooled_BD if pre_logits else self.head.proj(pooled_BD)

    def reset_classifier(self, num_grades: int) -> None:
        if not isinstance(self.head.proj, OrdinalClassifier):
            return super().reset_classifier(num_grades)
        self.head.proj = OrdinalClassifier(self.num_features, num_grades).to(self.head.proj.first)
        self.num_grades = num_grades

    def resize_table(self, name: str, table: Tensor) -> Tensor | None:
        module, _, parameter = name.rpartition(".")
        return self.get_submodule(module).resized(table).to(table) if parameter in TABLES else None

    def no_weight_decay(self) -> set[str]:
        """Embeddings, of pathways and of positions."""
        mine = {key for key, _ in self.named_parameters() if ".pathway." in key or key.endswith(TABLES)}
        return super().no_weight_decay() | mine


TABLES = ("table_TD", "table_Dh")
"""parameters of positions that are made for a number of frames"""


def build(size: str, *, num_frames: int, **options) -> Hybrid:
    """options: those of `Axes`, with their values and meaning there, and those of `baselines.slowfast.build`."""
    of_axes = {axis.name for axis in fields(Axes)} & set(options)
    axes = Axes(**{name: options.pop(name) for name in of_axes})
    base = slowfast.build(size, num_frames=num_frames, **options)
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
        parameters=35_858_013,
        official=get_entry("slowfast").official,
        tiny="SlowFast's tiny size, attention 48 wide with 4 heads",
    )
)
