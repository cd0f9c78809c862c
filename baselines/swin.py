"""Swin-B: attention within shifted windows, in four stages of falling resolution.

Z. Liu et al.: Swin Transformer: Hierarchical Vision Transformer using Shifted Windows, ICCV 2021. The
network is timm's, patches of 4 px and windows of 7x7.
"""

from einops import rearrange
from torch import Tensor

from baselines.contract import Intermediates
from baselines.registry import (
    IMAGENET_MEAN_STD,
    ModelEntry,
    PretrainedWeights,
    PublishedFigures,
    check_variant,
    register,
)
from baselines.timm_net import FrameModel, record

VARIANTS = ("swin_base_patch4_window7_224", "swin_small_patch4_window7_224", "swin_tiny_patch4_window7_224")


class Swin(FrameModel):
    first_convs = ("net.patch_embed.proj",)

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        """The normalised last map of the first frame, (B, H/32, W/32, D)."""
        x_BHWD = self.net.patch_embed(clip_BCTHW[:, :, 0])
        for i, layer in enumerate(self.net.layers):
            x_BDHW = rearrange(layer(x_BHWD), "b h w d -> b d h w")
            x_BDHW = record(into, f"layers.{i}", x_BDHW)
            x_BHWD = rearrange(x_BDHW, "b d h w -> b h w d")
        return self.net.norm(x_BHWD)

    def no_weight_decay(self) -> set[str]:
        """As the authors: the biases of relative positions."""
        return {name for name, _ in self.named_parameters() if name.endswith(".relative_position_bias_table")}

    def resize_table(self, name: str, table: Tensor) -> Tensor | None:
        """The biases of relative positions, which are as many as the window has distances."""
        from timm.layers import resize_rel_pos_bias_table

        if not name.endswith(".relative_position_bias_table"):
            return None
        attention = self.get_submodule(name.rpartition(".")[0])
        new_shape = attention.relative_position_bias_table.shape
        return resize_rel_pos_bias_table(table, new_window_size=attention.window_size, new_bias_shape=new_shape)


def build(
    size: str, *, num_grades, num_frames, crop_size, in_channels, variant: str = VARIANTS[0], drop_path: float = 0.1
) -> Swin:
    """variant: one of VARIANTS. drop_path: stochastic depth of the last block, rising linearly from 0.

    A window that is larger than a stage's map at `crop_size` shrinks to it, as timm does.
    """
    import timm
    from timm.models.swin_transformer import SwinTransformer

    check_variant("swin", VARIANTS, variant, size)
    shape = dict(
        num_classes=num_grades,
        in_chans=in_channels,
        img_size=crop_size,
        strict_img_size=False,
        drop_path_rate=drop_path,
    )
    if size == "paper":
        net = timm.create_model(variant, **shape)
    else:
        net = SwinTransformer(embed_dim=32, depths=(2, 2, 4, 2), num_heads=(2, 4, 8, 16), window_size=4, **shape)
    return Swin(net, num_grades=num_grades, in_channels=in_channels)


register(
    ModelEntry(
        name="swin",
        title="Swin",
        family="image",
        build=build,
        reference="Z. Liu et al.: Swin Transformer: Hierarchical Vision Transformer using Shifted Windows, ICCV 2021",
        origin="timm swin_base_patch4_window7_224",
        licence="code Apache-2.0 (timm); weights MIT (microsoft/Swin-Transformer)",
        mean=IMAGENET_MEAN_STD[0],
        std=IMAGENET_MEAN_STD[1],
        tiny="2, 2, 4, 2 layers instead of 2, 2, 18, 2, width 32 of 128, half the heads, windows of 4x4",
        paper_mse=(1.53, 0.09),
        parameters=86_748_349,
        published=PublishedFigures(87.77, 15.43, "torchvision, metadata of Swin_B_Weights.IMAGENET1K_V1", classes=1000),
        official={
            "swin_base_patch4_window7_224": PretrainedWeights(
                "timm",
                "swin_base_patch4_window7_224.ms_in22k_ft_in1k",
                "ImageNet-22k, fine-tuned on ImageNet-1k",
                "MIT",
            ),
            "swin_small_patch4_window7_224": PretrainedWeights(
                "timm",
                "swin_small_patch4_window7_224.ms_in22k_ft_in1k",
                "ImageNet-22k, fine-tuned on ImageNet-1k",
                "MIT",
            ),
            "swin_tiny_patch4_window7_224": PretrainedWeights(
                "timm", "swin_tiny_patch4_window7_224.ms_in1k", "ImageNet-1k", "MIT"
            ),
        },
    )
)
