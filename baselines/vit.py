"""ViT-B/16: a frame's patches as tokens of a transformer.

A. Dosovitskiy et al.: An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale, ICLR
2021, section 3.1. The network is timm's.
"""

import math

import torch
from einops import rearrange
from torch import Tensor, nn

from baselines.contract import Intermediates
from baselines.layers import attend, norm_ratio, resize_space
from baselines.registry import (
    INCEPTION_MEAN_STD,
    ModelEntry,
    PretrainedWeights,
    PublishedFigures,
    check_variant,
    register,
)
from baselines.timm_net import FrameModel, record_tokens

VARIANTS = ("vit_base_patch16_224", "vit_small_patch16_224", "vit_tiny_patch16_224")


class ViT(FrameModel):
    first_convs = ("net.patch_embed.proj",)
    class_token = True

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        """The normalised tokens of the first frame, class token first: (B, 1 + N, D)."""
        net = self.net
        x = net._pos_embed(net.patch_embed(clip_BCTHW[:, :, 0]))
        for i, block in enumerate(net.blocks):
            if into is None:
                x = block(x)
                continue
            update, into.spatial_attention[f"blocks.{i}"] = explicit_attention(block.attn, block.norm1(x))
            into.update_ratio[f"blocks.{i}.spatial"] = norm_ratio(update, x)
            x = x + block.drop_path1(update)
            x = x + block.drop_path2(block.mlp(block.norm2(x)))
            x = record_tokens(into, f"blocks.{i}", x, prefix=1)
        return net.norm(x)

    def resize_table(self, name: str, table: Tensor) -> Tensor | None:
        if name != "net.pos_embed":
            return None
        side = math.isqrt(self.net.pos_embed.shape[1] - 1)
        return torch.cat([table[:, :1], resize_space(table[:, 1:], side)], dim=1)


def explicit_attention(attn: nn.Module, x_BND: Tensor) -> tuple[Tensor, Tensor]:
    """timm's `Attention` with its weights (B, 1, h, N, N), which lie on the way to the output."""
    q, k, v = rearrange(attn.qkv(x_BND), "b n (qkv h d) -> qkv b 1 h n d", qkv=3, h=attn.num_heads)
    out, weights = attend(q, k, v, explicit=True)
    return attn.proj(rearrange(out, "b 1 h n d -> b n (h d)")), weights


def build(
    size: str, *, num_grades, num_frames, crop_size, in_channels, variant: str = VARIANTS[0], drop_path: float = 0.0
) -> ViT:
    """variant: one of VARIANTS. drop_path: stochastic depth of the last block, rising linearly from 0."""
    import timm
    from timm.models.vision_transformer import VisionTransformer

    check_variant("vit", VARIANTS, variant, size)
    shape = dict(
        num_classes=num_grades,
        in_chans=in_channels,
        img_size=crop_size,
        dynamic_img_size=True,
        drop_path_rate=drop_path,
    )
    if size == "paper":
        net = timm.create_model(variant, **shape)
    else:
        net = VisionTransformer(patch_size=8, embed_dim=96, depth=4, num_heads=3, **shape)
    return ViT(net, num_grades=num_grades, in_channels=in_channels)


register(
    ModelEntry(
        name="vit",
        title="ViT",
        family="image",
        build=build,
        reference="A. Dosovitskiy et al.: An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale, "
        "ICLR 2021",
        origin="timm vit_base_patch16_224",
        licence="code and weights Apache-2.0 (timm, google-research/vision_transformer)",
        mean=INCEPTION_MEAN_STD[0],
        std=INCEPTION_MEAN_STD[1],
        tiny="4 of 12 layers, width 96 of 768, 3 heads of 12; patches of 8 px",
        paper_mse=(1.67, 0.12),
        parameters=85_802_501,
        published=PublishedFigures(
            86.57, 17.56, "torchvision, metadata of ViT_B_16_Weights.IMAGENET1K_V1", classes=1000
        ),
        official={
            "vit_base_patch16_224": PretrainedWeights(
                "timm",
                "vit_base_patch16_224.augreg2_in21k_ft_in1k",
                "ImageNet-21k, fine-tuned on ImageNet-1k",
                "Apache-2.0",
            ),
            "vit_small_patch16_224": PretrainedWeights(
                "timm",
                "vit_small_patch16_224.augreg_in21k_ft_in1k",
                "ImageNet-21k, fine-tuned on ImageNet-1k",
                "Apache-2.0",
            ),
            "vit_tiny_patch16_224": PretrainedWeights(
                "timm",
                "vit_tiny_patch16_224.augreg_in21k_ft_in1k",
                "ImageNet-21k, fine-tuned on ImageNet-1k",
                "Apache-2.0",
            ),
        },
    )
)
