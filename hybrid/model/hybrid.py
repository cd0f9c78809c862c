"""The hybrid: SlowFast in space, a small transformer over all frames in time.

::

          slow_BCTHW (T/alpha frames)           fast_BCTHW (T frames)
               |                                     |
             stem <----------- lateral ------------ stem
               .                                     .
             res4                    .------------- res4
             res5 -------- means of quarters ------ res5
               |                   |                 |
             pool      what is read off each frame  pool
               |       and in a second look at it    |      glimpse.py
               |                   |                 |
               |        attention over all frames    |      frame_part.py
               |                   |                 |
               '----- concatenate, + its mean -------'
                                   |
                           dropout, linear to K

SlowFast (Feichtenhofer et al., ICCV 2019) processes space hierarchically and time by short kernels, and then takes
the mean of all moments: what two of them far apart have to do with each other is lost. Here they meet before that,
as tokens of frames, late and cheaply (an event is a relation of moments, wherever in the picture they are). The part
over time ends in one zero factor, so a fresh hybrid computes exactly what its SlowFast computes, and takes the
SlowFast's checkpoints: `net.*` are the same keys.

The first design had branches inside instead, after res4 and res5, where the tokens of each place of both pathways
attend to each other (attention.py, branch.py). With stages=res4-5 head=attentive frame_mixer=none the hybrid is that.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn

from baselines.contract import Intermediates
from baselines.slowfast import SlowFast, slow_frame_indices
from hybrid.model.attention import CrossPathwayAttention
from hybrid.model.branch import TemporalBranch
from hybrid.model.frame_part import FramePart
from hybrid.model.frame_values import columns_of
from hybrid.model.heads import AttentivePooling, OrdinalClassifier
from hybrid.model.held_back import DropPathway
from hybrid.model.positions import FrameTimes

READ_STAGES, QUARTERS = {"slow": ("res5",), "fast": ("res4", "res5")}, 4
"""what frames are read off: the means over each quarter of the picture, which tell where a cell is, and how it looks.
Slow's res4 would be a third of all weights of a reader, and its frames are Fast's as well"""
POSITION_TABLES = ("table_TD", "table_Dh")
"""parameters of positions, made for one length of clip"""


class Hybrid(SlowFast):
    """`clip (B, C, T, H, W) -> logits (B, K)`; see the module's picture.

    temporal: branches by the name of the stage they follow. attentive: pooling by pathway, empty for the plain mean.
    frames: the part over all frames, or None.
    """

    new_module_prefixes = ("temporal.", "attentive.", "frames.")
    """parameters that no SlowFast checkpoint has; they start from nothing and want a larger learning rate"""
    other_weights = (
        "up to commit fae0a14 the default was what stages=res4-5 head=attentive frame_mixer=none are now "
        "(model.options), and checkpoints without these options need that commit"
    )

    def __init__(
        self,
        base: SlowFast,
        *,
        temporal: dict[str, TemporalBranch],
        attentive: dict[str, AttentivePooling],
        frames: FramePart | None = None,
        drop_pathway: float = 0.0,
    ):
        super().__init__(**base.arguments())
        self.temporal = nn.ModuleDict(temporal)
        self.attentive = nn.ModuleDict(attentive)
        self.frames = frames
        if frames is not None and frames.glimpse is not None:
            looks = range(len(frames.glimpse.looks))
            self.first_convs = (*self.first_convs, *(f"frames.glimpse.looks.{look}.see.0" for look in looks))
        self.drop_pathway = DropPathway(drop_pathway)
        if drop_pathway:
            for stage in self.stages[:-1]:  # the last has no lateral connection
                stage.multipathway_fusion.register_forward_hook(self.drop_pathway.mask_lateral)

    @property
    def temporal_layers(self) -> tuple[str, ...]:
        """The stages whose branch is attention, whose weights can be looked at. Those of the part over all frames
        can be, too, but the answer comes past them as well."""
        return tuple(name for name, branch in self.temporal.items() if isinstance(branch, CrossPathwayAttention))

    def frame_times_of_pathways(self, num_frames: int, device=None) -> dict[str, FrameTimes]:
        """When both pathways' steps were seen, the same in every stage."""
        frames = {
            "slow": slow_frame_indices(num_frames, self.alpha, self.slow_frames, device),
            "fast": torch.arange(num_frames, device=device),
        }
        return {name: FrameTimes.of_frames(frame_T, num_frames, self.frame_rate) for name, frame_T in frames.items()}

    def forward_features(
        self, clip_BCTHW: Tensor, into: Intermediates | None = None, told_BTD: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """res5 of both pathways, (B, C_S, T/alpha, H/32, W/32) and (B, C_F, T, H/32, W/32); what is read off each
        frame, (B, T, D), and what all of them show in a second look, (B, X). told_BTD: see `Glimpse`."""
        self.drop_pathway.draw(clip_BCTHW.shape[0], clip_BCTHW.device)
        steps: dict[str, list[Tensor]] = {"slow": [], "fast": []}
        for name, slow, fast in self.run_stages(clip_BCTHW, into):
            if self.frames is not None:
                for pathway, x_BCTHW in (("slow", slow), ("fast", self.drop_pathway.mask_fast(fast))):
                    if name in READ_STAGES[pathway]:
                        steps[pathway].append(by_quarters(x_BCTHW))
        features = [slow, self.drop_pathway.mask_fast(fast)]
        if self.frames is not None:
            features.append(self.frames.read([torch.cat(quarters, dim=2) for quarters in steps.values()]))
            if self.frames.glimpse is not None:
                features[2:] = self.frames.glimpse(clip_BCTHW, features[2], told_BTD)
        return tuple(features)

    def run_stage(
        self, name: str, stage: nn.Module, slow: Tensor, fast: Tensor, into: Intermediates | None
    ) -> tuple[Tensor, Tensor]:
        slow, fast = super().run_stage(name, stage, slow, fast, into)
        if name in self.temporal:
            times = self.frame_times_of_pathways(fast.shape[2], fast.device)
            pathways = {"slow": slow, "fast": self.drop_pathway.mask_fast(fast)}
            update = self.temporal[name](pathways, times, into, name)
            slow = slow + update["slow"] if "slow" in update else slow
            fast = fast + update["fast"] if "fast" in update else fast
        return slow, fast

    def time_steps(self, features: tuple[Tensor, ...], num_frames: int) -> list[Tensor]:
        """What is read off each frame. Without the part over all frames, SlowFast's."""
        return [features[2]] if self.reads_frames else super().time_steps(features, num_frames)

    @property
    def reads_frames(self) -> bool:
        return self.frames is not None

    def read_frames(self, steps: list[Tensor]) -> Tensor:
        """(B, T, D) FRAME_VALUES, as far as it was taught to read them."""
        return steps[0]

    @property
    def shown_width(self) -> int:
        """of `shown`; 0 where it looks once"""
        return self.frames.glimpse.narrow.out_features if self.frames and self.frames.glimpse else 0

    def shown(self, features: tuple[Tensor, ...]) -> Tensor:
        """(B, X) what all frames show in a second look."""
        return self.frames.glimpse.narrow(features[3])

    def shown_at(self, clip_BCTHW: Tensor, values_BTD: Tensor) -> Tensor:
        """(B, X) the same of any frames, looked at where these FRAME_VALUES say."""
        return self.frames.glimpse.narrow(self.frames.glimpse.shown_at(clip_BCTHW, values_BTD))

    def set_units(self, spread_D: Tensor) -> None:
        """Of FRAME_VALUES as it is taught to read them: what is read as 1."""
        if self.frames.glimpse is not None:
            self.frames.glimpse.spread.copy_(spread_D[columns_of("head")].mean())

    def forward_intermediates(self, clip_BCTHW: Tensor) -> tuple[Tensor, Intermediates]:
        into = Intermediates()
        features = self.forward_features(self.checked(clip_BCTHW), into)
        return self.forward_head(features, into=into), into

    def forward_head(
        self,
        features: tuple[Tensor, ...],
        pre_logits: bool = False,
        *,
        frames_BTD: Tensor | None = None,
        into: Intermediates | None = None,
    ) -> Tensor:
        """frames_BTD: FRAME_VALUES to go on from, in place of those that are read."""
        pooled = []
        for name, x_BCTHW in zip(("slow", "fast"), features[:2], strict=True):
            mean_BC = x_BCTHW.mean(dim=(2, 3, 4))
            pooled.append(self.attentive[name](x_BCTHW, mean_BC) if name in self.attentive else mean_BC)
        pooled_BD = torch.cat(pooled, dim=1)
        if self.frames is not None:
            num_frames = features[1].shape[2]
            if frames_BTD is None:
                frames_BTD = features[2]
            times = self.frame_times_of_pathways(num_frames, frames_BTD.device)["fast"]
            pooled_BD = self.frames(frames_BTD, times, pooled_BD, into)
            if self.frames.glimpse is not None:
                pooled_BD = self.frames.glimpse.add(pooled_BD, features[3])
        pooled_BD = self.head.dropout(pooled_BD)
        return pooled_BD if pre_logits else self.head.proj(pooled_BD)

    def reset_classifier(self, num_grades: int) -> None:
        if not isinstance(self.head.proj, OrdinalClassifier):
            return super().reset_classifier(num_grades)
        self.head.proj = OrdinalClassifier(self.num_features, num_grades).to(self.head.proj.first)
        self.num_grades = num_grades

    def resize_table(self, name: str, table: Tensor) -> Tensor | None:
        module, _, parameter = name.rpartition(".")
        return self.get_submodule(module).resized(parameter, table).to(table) if parameter in POSITION_TABLES else None

    def no_weight_decay(self) -> set[str]:
        """Embeddings, of pathways and of positions; and what reads frames, whose numbers have units of their own."""
        mine = {key for key, _ in self.named_parameters() if ".pathway." in key or key.endswith(POSITION_TABLES)}
        mine |= {key for key, _ in self.named_parameters() if key.startswith("frames.read.")}
        return super().no_weight_decay() | mine


def by_quarters(x_BCTHW: Tensor) -> Tensor:
    """(B, T, 4 C): the mean over each quarter of the picture; of an odd side, the middle belongs to both halves."""
    # What adaptive_avg_pool3d does, which cannot be exported to ONNX.
    high, wide = x_BCTHW.shape[3:]
    rows, columns = ((slice((side + 1) // 2), slice(side // 2, None)) for side in (high, wide))
    quarters = [x_BCTHW[..., row, column].mean(dim=(3, 4)) for row in rows for column in columns]
    return rearrange(torch.stack(quarters, dim=-1), "b c t q -> b t (c q)")
