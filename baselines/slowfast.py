"""SlowFast: one pathway sees few frames with many channels, the other all frames with few.

C. Feichtenhofer, H. Fan, J. Malik, K. He: SlowFast Networks for Video Recognition, ICCV 2019. The
layers are pytorchvideo's, under pytorchvideo's own parameter names inside `net`; the forward pass is
written out here because pytorchvideo's overwrites its caller's list of pathways, and its head pools a
fixed 8/32 x 7 x 7.

    slow_BCTHW (T/alpha frames)     fast_BCTHW (T frames)
         |                               |
       stem  <-------- lateral --------  stem        stages[0]
         |                               |
       res2  <-------- lateral --------  res2        stages[1]
         .                               .             ...
       res5                              res5        stages[4], no lateral
         |                               |
         +-- mean over T, H, W; concat --+-- dropout -- linear      head
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from baselines.contract import ClipModel, Features, Intermediates, mean_over_space
from baselines.layers import DROPOUT, fresh_classifier
from baselines.pytorchvideo_net import block_depth
from baselines.registry import (
    KINETICS_MEAN_STD,
    ModelEntry,
    PretrainedWeights,
    PublishedFigures,
    check_variant,
    register,
)

STAGE_NAMES = ("stem", "res2", "res3", "res4", "res5")
SLOW_FRAMES = ("linspace", "stride")


def slow_frame_indices(num_frames: int, alpha: int, slow_frames: str = "linspace", device=None) -> Tensor:
    """Which of the fast frames the slow pathway sees: (num_frames // alpha,) integers.

    'linspace' is the reference's packing: the first and the last frame are always among them
    (0, 5, 10, 15 of 16). 'stride' takes every alpha-th (0, 4, 8, 12), where the lateral convolutions
    of stride alpha are centred.
    """
    if slow_frames not in SLOW_FRAMES:
        raise ValueError(f"slow_frames must be one of {SLOW_FRAMES}, not {slow_frames!r}")
    if num_frames % alpha:
        raise ValueError(f"{num_frames} frames are no multiple of alpha={alpha}")
    if slow_frames == "stride":
        return torch.arange(0, num_frames, alpha, device=device)
    return torch.linspace(0, num_frames - 1, num_frames // alpha, device=device).long()


def pack_pathways(clip_BCTHW: Tensor, alpha: int, slow_frames: str = "linspace") -> tuple[Tensor, Tensor]:
    """The clip as (slow_BCTHW of T/alpha frames, fast_BCTHW of all T)."""
    indices = slow_frame_indices(clip_BCTHW.shape[2], alpha, slow_frames, clip_BCTHW.device)
    return clip_BCTHW.index_select(2, indices), clip_BCTHW


def run_pathways(stage: nn.Module, slow_BCTHW: Tensor, fast_BCTHW: Tensor) -> tuple[Tensor, Tensor]:
    """Both pathways of one stage, each by itself."""
    slow_blocks, fast_blocks = stage.multipathway_blocks
    return slow_blocks(slow_BCTHW), fast_blocks(fast_BCTHW)


def fuse_lateral(stage: nn.Module, slow_BCTHW: Tensor, fast_BCTHW: Tensor) -> tuple[Tensor, Tensor]:
    """The stage's lateral connection: Fast, convolved in time with stride alpha, joins Slow's channels.

    The last stage has none and returns both as they are.
    """
    slow_BCTHW, fast_BCTHW = stage.multipathway_fusion([slow_BCTHW, fast_BCTHW])
    return slow_BCTHW, fast_BCTHW


class SlowFast(ClipModel):
    """`clip (B, C, T, H, W) -> logits (B, K)`; see the module's picture.

    net: pytorchvideo's `create_slowfast(...)`, of which the five `stages` and the `head` are used.
    """

    classifier = "net.blocks.6.proj"
    first_convs = ("net.blocks.0.multipathway_blocks.0.conv", "net.blocks.0.multipathway_blocks.1.conv")

    def __init__(self, net: nn.Module, *, num_grades: int, in_channels: int, alpha: int = 4, slow_frames="linspace"):
        super().__init__()
        slow_frame_indices(alpha, alpha, slow_frames)  # a wrong name is refused when the model is built
        self.net = net
        self.alpha = alpha
        self.slow_frames = slow_frames
        self.num_grades = num_grades
        self.in_channels = in_channels
        self.num_features = self.head.proj.in_features

    def arguments(self) -> dict[str, Any]:
        """What a subclass passes on to take this network over."""
        return dict(
            net=self.net,
            num_grades=self.num_grades,
            in_channels=self.in_channels,
            alpha=self.alpha,
            slow_frames=self.slow_frames,
        )

    @property
    def stages(self) -> list[nn.Module]:
        """Stem and res2 to res5, each with `multipathway_blocks` (slow, fast) and `multipathway_fusion`."""
        return list(self.net.blocks[:5])

    @property
    def head(self) -> nn.Module:
        """pytorchvideo's head, with `dropout` and `proj`."""
        return self.net.blocks[6]

    def pathway_times(self, num_frames: int, device=None) -> tuple[Tensor, Tensor]:
        """Seconds from the first frame of each slow and of each fast step."""
        times = self.frame_times(num_frames, device)
        return times[slow_frame_indices(num_frames, self.alpha, self.slow_frames, device)], times

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> tuple[Tensor, Tensor]:
        """res5 of both pathways: (B, C_S, T/alpha, H/32, W/32) and (B, C_F, T, H/32, W/32)."""
        *_, (_, slow, fast) = self.run_stages(clip_BCTHW, into)
        return slow, fast

    def run_stages(self, clip_BCTHW: Tensor, into: Intermediates | None) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Each stage's name and what both pathways have after it, before its lateral connection (the last has none)."""
        slow, fast = pack_pathways(clip_BCTHW, self.alpha, self.slow_frames)
        for name, stage in zip(STAGE_NAMES, self.stages, strict=True):
            slow, fast = self.run_stage(name, stage, slow, fast, into)
            if into is not None:
                slow_times, fast_times = self.pathway_times(clip_BCTHW.shape[2], clip_BCTHW.device)
                into.features[f"slow.{name}"] = Features(slow, slow_times, "slow")
                into.features[f"fast.{name}"] = Features(fast, fast_times, "fast")
            yield name, slow, fast
            slow, fast = fuse_lateral(stage, slow, fast)

    def run_stage(
        self, name: str, stage: nn.Module, slow: Tensor, fast: Tensor, into: Intermediates | None
    ) -> tuple[Tensor, Tensor]:
        """Both pathways of the stage `name`, before its lateral connection: what subclasses extend."""
        return run_pathways(stage, slow, fast)

    def forward_head(self, features: tuple[Tensor, Tensor], pre_logits: bool = False) -> Tensor:
        slow, fast = features
        pooled_BD = torch.cat([slow.mean(dim=(2, 3, 4)), fast.mean(dim=(2, 3, 4))], dim=1)
        pooled_BD = self.head.dropout(pooled_BD)
        return pooled_BD if pre_logits else self.head.proj(pooled_BD)

    def time_steps(self, features: tuple[Tensor, Tensor], num_frames: int) -> list[Tensor]:
        return [mean_over_space(x_BCTHW) for x_BCTHW in features]

    def reset_classifier(self, num_grades: int) -> None:
        self.head.proj = fresh_classifier(self.head.proj, num_grades)
        self.num_grades = num_grades

    def group_matcher(self, coarse: bool = False):
        def depth(name: str) -> tuple[int, int]:
            in_net = name if name.startswith("net.") else self.classifier  # what a subclass adds is as new as that
            return block_depth(in_net, coarse)

        return depth


# name of the variant: what pytorchvideo's hub builds it with
VARIANTS = {
    "slowfast_r50": dict(model_depth=50, slowfast_fusion_conv_kernel_size=(7, 1, 1)),
    "slowfast_r101": dict(model_depth=101, slowfast_fusion_conv_kernel_size=(5, 1, 1)),
}

TINY = dict(
    model_depth=18,  # one bottleneck a stage
    slowfast_channel_reduction_ratio=(6,),
    stem_dim_outs=(12, 2),
    stem_conv_kernel_sizes=((1, 3, 3), (5, 3, 3)),
    slowfast_fusion_conv_kernel_size=(7, 1, 1),
)


def build_net(
    size: str,
    *,
    num_grades: int,
    in_channels: int,
    alpha: int = 4,
    variant="slowfast_r50",
    dropout: float | None = None,
) -> nn.Module:
    """pytorchvideo's SlowFast at a size; `variant` (VARIANTS) is of the paper size alone."""
    from pytorchvideo.models.slowfast import create_slowfast

    check_variant("slowfast", VARIANTS, variant, size)
    net = create_slowfast(
        **(VARIANTS[variant] if size == "paper" else TINY),
        slowfast_fusion_conv_stride=(alpha, 1, 1),
        input_channels=(in_channels, in_channels),
        model_num_class=num_grades,
    )
    dropout = DROPOUT[size] if dropout is None else dropout
    net.blocks[6].dropout = nn.Dropout(dropout)  # of a rate of 0 pytorchvideo makes None
    return net


def build(
    size: str,
    *,
    num_grades: int,
    num_frames: int,
    crop_size: int,
    in_channels: int,
    variant: str = "slowfast_r50",
    alpha: int = 4,
    slow_frames: str = "linspace",
    dropout: float | None = None,
) -> SlowFast:
    """alpha: fast frames per slow frame, 2, 4 or 8. slow_frames: see `slow_frame_indices`. dropout: before the
    classifier, by default DROPOUT's."""
    if alpha not in (2, 4, 8):
        raise ValueError(f"alpha must be 2, 4 or 8, not {alpha}")
    net = build_net(size, num_grades=num_grades, in_channels=in_channels, alpha=alpha, variant=variant, dropout=dropout)
    return SlowFast(net, num_grades=num_grades, in_channels=in_channels, alpha=alpha, slow_frames=slow_frames)


register(
    ModelEntry(
        name="slowfast",
        title="SlowFast",
        family="convolution",
        build=build,
        reference="C. Feichtenhofer, H. Fan, J. Malik, K. He: SlowFast Networks for Video Recognition, ICCV 2019",
        origin="pytorchvideo slowfast_r50 (8x8)",
        licence="code and weights Apache-2.0 (pytorchvideo)",
        mean=KINETICS_MEAN_STD[0],
        std=KINETICS_MEAN_STD[1],
        tiny="one bottleneck a stage, stem of 12 and 2 channels (beta 1/6) with 3x3 kernels",
        paper_mse=(1.30, 0.14),
        wacv_mse=1.346,
        parameters=33_656_013,
        published=PublishedFigures(34.57, 65.71, "pytorchvideo model zoo", frames=32, crop=256),
        official={
            "slowfast_r50": PretrainedWeights(
                "pytorchvideo", "slowfast_r50", "Kinetics-400", "Apache-2.0", frames=32, rate=15
            ),
            "slowfast_r101": PretrainedWeights(
                "pytorchvideo", "slowfast_r101", "Kinetics-400", "Apache-2.0", frames=32, rate=15
            ),
        },
    )
)
