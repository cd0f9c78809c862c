"""MViTv2-S: a transformer whose tokens become fewer and wider from stage to stage, trained on labelled actions.

Y. Li et al.: MViTv2: Improved Multiscale Vision Transformers for Classification and Detection, CVPR 2022. The network
is torchvision's.
"""

from dataclasses import dataclass

from einops import rearrange
from torch import Tensor, nn

from baselines.contract import listed
from baselines.frozen import FrozenModel, State
from baselines.registry import KINETICS_MEAN_STD, ModelEntry, PretrainedWeights, register


@dataclass(frozen=True)
class MViTBackbone:
    """A `baselines.frozen.Backbone`. tiny: two stages less, of narrow blocks."""

    tiny: bool
    frames: int
    crop: int
    steps: int
    side: int
    width: int
    heads: int

    def build(self, state: State | None) -> nn.Module:
        net = tiny_mvit(self.crop) if self.tiny else published_mvit()
        if state is not None:
            try:
                lacking, _ = net.load_state_dict(state, strict=False)
            except RuntimeError as error:
                raise ValueError(f"the weights do not fit MViTv2-S: {error}") from error
            if lacking := [key for key in lacking if not key.startswith("head.")]:
                raise ValueError(f"the weights do not fit MViTv2-S; missing: {listed(lacking)}")
        return net

    def features(self, net: nn.Module, clip_BCTHW: Tensor) -> Tensor:
        # torchvision's `create_feature_extractor` will not do: it drops the residual of pooled attention, as that is
        # added in place.
        x_BND, shape = net.conv_proj(clip_BCTHW).flatten(2).transpose(1, 2), net.pos_encoding
        thw = (shape.temporal_size, *shape.spatial_size)
        x_BND = shape(x_BND)
        for block in net.blocks:
            x_BND, thw = block(x_BND, thw)
        return rearrange(net.norm(x_BND)[:, 1:], "b (t h w) d -> b d t h w", t=thw[0], h=thw[1])  # no class token


def published_mvit() -> nn.Module:
    from torchvision.models.video import mvit_v2_s

    return mvit_v2_s()


def tiny_mvit(crop: int) -> nn.Module:
    """torchvision's class with a block a stage, of which the first two halve the sides after the patches' four."""
    from torchvision.models.video.mvit import MSBlockConfig, MViT

    kernel = [3, 3, 3]
    shapes = [(1, 16, 16, 1, 4), (2, 16, 32, 2, 2), (2, 32, 48, 2, 1)]
    blocks = [
        MSBlockConfig(heads, narrow, wide, kernel, kernel, [1, down, down], [1, kv, kv])
        for heads, narrow, wide, down, kv in shapes
    ]
    return MViT((crop, crop), 16, blocks, True, False, True, True, num_classes=5)


SIZES = {
    "paper": dict(tiny=False, crop=224, side=7, width=768, heads=12),
    "tiny": dict(tiny=True, crop=64, side=4, width=48, heads=3),
}


def build(size: str, *, num_frames: int, crop_size: int, grid: int = 4, **shape) -> FrozenModel:
    """grid: places along each side that features are averaged to. num_frames and crop_size change nothing."""
    return FrozenModel(MViTBackbone(frames=16, steps=8, **SIZES[size]), grid=grid, **shape)


register(
    ModelEntry(
        name="mvit",
        title="MViTv2-S",
        family="frozen",
        build=build,
        reference="Y. Li et al.: MViTv2: Improved Multiscale Vision Transformers for Classification and Detection, "
        "CVPR 2022",
        origin="torchvision mvit_v2_s, whose 34.2 M parameters below the classifier stay as they are",
        licence="code BSD-3-Clause (torchvision); weights Apache-2.0 (facebookresearch/SlowFast)",
        mean=KINETICS_MEAN_STD[0],
        std=KINETICS_MEAN_STD[1],
        tiny="3 of 16 blocks, width 16 to 48 of 96 to 768, 64 px",
        parameters=6_501_125,
        official={
            "mvit_v2_s": PretrainedWeights(
                library="torchvision",
                name="MViT_V2_S_Weights.KINETICS400_V1",
                data="Kinetics-400",
                licence="Apache-2.0",
                frames=16,
                rate=7.5,
                crop=224,
            )
        },
    )
)
