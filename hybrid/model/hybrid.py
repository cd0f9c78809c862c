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

from baselines.contract import Features, Intermediates
from baselines.slowfast import STAGE_NAMES, SlowFast, fuse_lateral, pack_pathways, run_pathways, slow_frame_indices
from hybrid.model.attentive_pooling import AttentivePooling
from hybrid.model.branch import TemporalBranch
from hybrid.model.clock import Clock
from hybrid.model.drop_pathway import DropPathway, handed_over
from hybrid.model.ordinal import OrdinalClassifier
from hybrid.model.stitch import Stitch
from hybrid.model.temporal_attention import CrossPathwayAttention


class Hybrid(SlowFast):
    """`clip (B, C, T, H, W) -> logits (B, K)`; see the module's picture.

    temporal: branches by the name of the stage they follow. attentive: pooling by pathway, empty for the plain mean.
    stitch: layers of a TimeSformer beside res5, if any.
    """

    new_module_prefixes = ("temporal.", "attentive.", "stitch.")
    """parameters that no SlowFast checkpoint has; they start from nothing and want a larger learning rate"""

    def __init__(
        self,
        base: SlowFast,
        *,
        temporal: dict[str, TemporalBranch],
        attentive: dict[str, AttentivePooling],
        stitch: Stitch | None = None,
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
        self.stitch = stitch
        self.drop_pathway = DropPathway(drop_pathway)

    @property
    def temporal_layers(self) -> tuple[str, ...]:
        """The stages whose branch is attention, whose weights can be looked at."""
        return tuple(name for name, branch in self.temporal.items() if isinstance(branch, CrossPathwayAttention))

    def clocks(self, num_frames: int, device=None) -> dict[str, Clock]:
        """The times of both pathways' steps, the same in every stage."""
        frames = {
            "slow": slow_frame_indices(num_frames, self.alpha, self.slow_frames, device),
            "fast": torch.arange(num_frames, device=device),
        }
        return {name: Clock.of_frames(frame_T, num_frames, self.frame_rate) for name, frame_T in frames.items()}

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> tuple[Tensor, ...]:
        """res5 of both pathways: (B, C_S, T/alpha, H/32, W/32) and (B, C_F, T, H/32, W/32).

        With stitched layers also what they add to the pooled features, (B, C_S + C_F).
        """
        slow, fast = pack_pathways(clip_BCTHW, self.alpha, self.slow_frames)
        clocks = self.clocks(clip_BCTHW.shape[2], clip_BCTHW.device)
        stitched = []
        keep_B1111 = self.drop_pathway.draw(len(clip_BCTHW), clip_BCTHW.device)
        for name, stage in zip(STAGE_NAMES, self.stages, strict=True):
            slow, fast = run_pathways(stage, slow, fast)
            if name in self.temporal:
                shown = {"slow": slow, "fast": handed_over(fast, keep_B1111)}
                update = self.temporal[name](shown, clocks, into, name)
                slow = slow + update["slow"] if "slow" in update else slow
                fast = fast + update["fast"] if "fast" in update else fast
            if into is not None:
                into.features[f"slow.{name}"] = Features(slow, clocks["slow"].seconds_T, "slow")
                into.features[f"fast.{name}"] = Features(fast, clocks["fast"].seconds_T, "fast")
            if name == "res4" and self.stitch is not None:
                stitched.append(self.stitch(slow, clocks["slow"].seconds_T, into))
            channels = slow.shape[1]
            slow, fast = fuse_lateral(stage, slow, fast)
            if keep_B1111 is not None:
                slow = torch.cat([slow[:, :channels], handed_over(slow[:, channels:], keep_B1111)], dim=1)
        return slow, handed_over(fast, keep_B1111), *stitched

    def forward_head(self, features: tuple[Tensor, ...], pre_logits: bool = False) -> Tensor:
        slow, fast, *stitched = features
        pooled = []
        for name, x_BCTHW in (("slow", slow), ("fast", fast)):
            mean_BC = x_BCTHW.mean(dim=(2, 3, 4))
            pooled.append(self.attentive[name](x_BCTHW, mean_BC) if name in self.attentive else mean_BC)
        pooled_BD = torch.cat(pooled, dim=1)
        for update_BD in stitched:
            pooled_BD = pooled_BD + update_BD
        pooled_BD = self.head.dropout(pooled_BD)
        return pooled_BD if pre_logits else self.head.proj(pooled_BD)

    def reset_classifier(self, num_grades: int) -> None:
        if not isinstance(self.head.proj, OrdinalClassifier):
            return super().reset_classifier(num_grades)
        self.head.proj = OrdinalClassifier(self.num_features, num_grades).to(self.head.proj.first)
        self.num_grades = num_grades

    def resize_table(self, name: str, table: Tensor) -> Tensor | None:
        module, _, parameter = name.rpartition(".")
        return self.get_submodule(module).resized(parameter, table).to(table) if parameter in TABLES else None

    def no_weight_decay(self) -> set[str]:
        """Embeddings: of pathways, of positions, the class token."""
        spared = (*TABLES, "cls_token")
        mine = {key for key, _ in self.named_parameters() if ".pathway." in key or key.endswith(spared)}
        return super().no_weight_decay() | mine


TABLES = ("table_TD", "table_Dh", "step_TD", "place_1ND")
"""parameters of positions, made for one size of clip"""
