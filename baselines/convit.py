"""ConViT-B: ten layers of gated positional self-attention that start as convolutions, then two plain ones.

S. d'Ascoli et al.: ConViT: Improving Vision Transformers with Soft Convolutional Inductive Biases, ICML
2021, section 3. The network is timm's; the forward pass is written out here so that the position table
fits other crops. The class token joins after the gated layers.
"""

import math

import torch
from einops import rearrange
from torch import Tensor, nn

from baselines.contract import Intermediates
from baselines.layers import norm_ratio, resize_space
from baselines.registry import IMAGENET_MEAN_STD, ModelEntry, PretrainedWeights, PublishedFigures, register
from baselines.timm_net import FrameModel, record_tokens
from baselines.vit import explicit_attention


class ConViT(FrameModel):
    first_convs = ("net.patch_embed.proj",)
    class_token = True

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        """The normalised tokens of the first frame, class token first: (B, 1 + N, D)."""
        net = self.net
        x = net.patch_embed(clip_BCTHW[:, :, 0])
        x = net.pos_drop(x + resize_space(net.pos_embed, math.isqrt(int(x.shape[1]))))
        for i, block in enumerate(net.blocks):
            if i == net.local_up_to_layer:
                x = torch.cat([net.cls_token.expand(x.shape[0], -1, -1), x], dim=1)
            if into is None:
                x = block(x)
                continue
            attention = gated_attention if block.use_gpsa else explicit_attention
            update, into.spatial_attention[f"blocks.{i}"] = attention(block.attn, block.norm1(x))
            into.update_ratio[f"blocks.{i}.spatial"] = norm_ratio(update, x)
            x = x + block.drop_path(update)
            x = x + block.drop_path(block.mlp(block.norm2(x)))
            x = record_tokens(into, f"blocks.{i}", x, prefix=0 if block.use_gpsa else 1)
        return net.norm(x)

    def resize_table(self, name: str, table: Tensor) -> Tensor | None:
        return resize_space(table, math.isqrt(self.net.pos_embed.shape[1])) if name == "net.pos_embed" else None


def gated_attention(attn: nn.Module, x_BND: Tensor) -> tuple[Tensor, Tensor]:
    """timm's `GPSA` with its weights (B, 1, h, N, N), which lie on the way to the output."""
    places = x_BND.shape[1]
    if attn.rel_indices is None or attn.rel_indices.shape[1] != places:
        attn.rel_indices = attn.get_rel_indices(places)
    weights = attn.get_attention(x_BND).unsqueeze(1)
    v = rearrange(attn.v(x_BND), "b n (h d) -> b 1 h n d", h=attn.num_heads)
    return attn.proj(rearrange(weights @ v, "b 1 h n d -> b n (h d)")), weights


def build(size: str, *, num_grades, num_frames, crop_size, in_channels, drop_path: float = 0.1) -> ConViT:
    """drop_path: stochastic depth of the last block, rising linearly from 0."""
    import timm
    from timm.models.convit import ConVit

    shape = dict(num_classes=num_grades, in_chans=in_channels, img_size=crop_size, drop_path_rate=drop_path)
    if size == "paper":
        net = timm.create_model("convit_base", **shape)
    else:  # timm's embed_dim is that of one head
        net = ConVit(patch_size=8, embed_dim=24, depth=4, num_heads=4, local_up_to_layer=3, **shape)
    net.patch_embed.strict_img_size = False
    return ConViT(net, num_grades=num_grades, in_channels=in_channels)


register(
    ModelEntry(
        name="convit",
        title="ConViT",
        family="image",
        build=build,
        reference="S. d'Ascoli et al.: ConViT: Improving Vision Transformers with Soft Convolutional Inductive Biases, "
        "ICML 2021",
        origin="timm convit_base",
        licence="code and weights Apache-2.0 (timm, facebookresearch/convit)",
        mean=IMAGENET_MEAN_STD[0],
        std=IMAGENET_MEAN_STD[1],
        tiny="3 gated and 1 plain layer instead of 10 and 2, width 96 of 768, 4 heads of 16; patches of 8 px",
        paper_mse=(1.59, 0.08),
        parameters=85_774_885,
        published=PublishedFigures(
            86, 17, "d'Ascoli et al. 2021, table 1, rounded", classes=1000, remark="the paper rounds to whole numbers"
        ),
        official={
            "convit_base": PretrainedWeights("timm", "convit_base.fb_in1k", "ImageNet-1k", "Apache-2.0"),
        },
    )
)
