"""TimeSformer with divided space-time attention.

G. Bertasius, H. Wang, L. Torresani: Is Space-Time Attention All You Need for Video Understanding?,
ICML 2021, section 3 and figure 2. In every block each patch first attends to the patches at the same
place in all frames, then to all patches of its own frame and the class token, then comes the MLP. The
class token takes no part in the temporal step; the spatial step updates one copy of it a frame, and
the copies are averaged. Parameters carry the names of the authors' code.
"""

import math

import torch
from einops import rearrange, reduce, repeat
from torch import Tensor, nn

from baselines.contract import ClipModel, Features, Intermediates, TemporalAttention
from baselines.layers import Attention, norm_ratio, resize_space, resize_time
from baselines.registry import KINETICS_MEAN_STD, ModelEntry, PretrainedWeights, PublishedFigures, register


class PatchEmbed(nn.Module):
    """Each frame's patches, linearly: (B, C, T, H, W) -> (B, N, T, D)."""

    def __init__(self, patch: int, in_channels: int, dim: int):
        super().__init__()
        self.proj = nn.Conv2d(in_channels, dim, kernel_size=patch, stride=patch)

    def forward(self, clip_BCTHW: Tensor) -> Tensor:
        frames = rearrange(clip_BCTHW, "b c t h w -> (b t) c h w")
        return rearrange(self.proj(frames), "(b t) d h w -> b (h w) t d", t=clip_BCTHW.shape[2])


class Block(nn.Module):
    """One layer: attention over time, attention over space, perceptron."""

    def __init__(self, dim: int, heads: int, drop_path: float):
        from timm.layers import DropPath, Mlp  # here, since timm takes seconds to import

        super().__init__()
        self.temporal_norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.temporal_attn = Attention(dim, heads)
        self.temporal_fc = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, 4 * dim)
        self.drop_path = DropPath(drop_path)

    def over_time(self, x_BNTD: Tensor, explicit: bool) -> tuple[Tensor, Tensor | None]:
        """The update of every patch, and the weights (B, N, h, T, T) where `explicit`."""
        update_BNTD, weights = self.temporal_attn(self.temporal_norm1(x_BNTD), explicit)
        return self.temporal_fc(self.drop_rows(update_BNTD)), weights

    def over_space(self, cls_B1D: Tensor, x_BNTD: Tensor, explicit: bool) -> tuple[Tensor, Tensor, Tensor | None]:
        """The updates of the class token and of every patch, and the weights (B, T, h, 1 + N, 1 + N)."""
        cls = repeat(cls_B1D, "b 1 d -> b t 1 d", t=x_BNTD.shape[2])
        tokens = torch.cat([cls, rearrange(x_BNTD, "b n t d -> b t n d")], dim=2)
        update, weights = self.attn(self.norm1(tokens), explicit)
        update = self.drop_rows(update)
        cls_update = reduce(update[:, :, :1], "b t 1 d -> b 1 d", "mean")
        return cls_update, rearrange(update[:, :, 1:], "b t n d -> b n t d"), weights

    def run(
        self, cls: Tensor, x: Tensor, times_T: Tensor, into: Intermediates | None, name: str
    ) -> tuple[Tensor, Tensor]:
        """The class token (B, 1, D) and the patches (B, N, T, D), of a square of places, after this layer."""
        explicit = into is not None
        update, weights = self.over_time(x, explicit)
        if explicit:
            into.update_ratio[f"{name}.temporal"] = ratio_B = norm_ratio(update, x)
            into.attention[name] = TemporalAttention(weights, times_T, times_T, update_ratio={"": ratio_B})
        x = x + update

        cls_update, update, weights = self.over_space(cls, x, explicit)
        if explicit:
            into.spatial_attention[name] = weights
            into.update_ratio[f"{name}.spatial"] = norm_ratio(update, x)
        cls, x = cls + cls_update, x + update

        cls, x = (tokens + self.drop_path(self.mlp(self.norm2(tokens))) for tokens in (cls, x))
        if explicit:
            x_BDTHW = rearrange(x, "b (h w) t d -> b d t h w", h=math.isqrt(x.shape[1]))
            into.features[name] = Features(x_BDTHW, times_T)
            x = rearrange(x_BDTHW, "b d t h w -> b (h w) t d")  # what is recorded lies on the way to the logits
        return cls, x

    def drop_rows(self, x: Tensor) -> Tensor:
        """Stochastic depth by (clip, place) or (clip, frame), as the authors' folding of axes has it."""
        return self.drop_path(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class TimeSformer(ClipModel):
    """`clip (B, C, T, H, W) -> logits (B, K)`, classified from the class token."""

    classifier = "head"
    first_convs = ("patch_embed.proj",)
    class_token = True

    def __init__(
        self,
        *,
        num_grades: int,
        num_frames: int,
        crop_size: int,
        in_channels: int,
        patch: int,
        dim: int,
        depth: int,
        heads: int,
        drop_path: float,
    ):
        super().__init__()
        self.num_grades, self.in_channels, self.num_features, self.patch = num_grades, in_channels, dim, patch
        self.patch_embed = PatchEmbed(patch, in_channels, dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (crop_size // patch) ** 2, dim))
        self.time_embed = nn.Parameter(torch.zeros(1, num_frames, dim))
        rates = [drop_path * i / max(depth - 1, 1) for i in range(depth)]
        self.blocks = nn.ModuleList(Block(dim, heads, rate) for rate in rates)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, num_grades)
        self.init_weights()

    @property
    def temporal_layers(self) -> tuple[str, ...]:
        return tuple(f"blocks.{i}" for i in range(len(self.blocks)))

    def init_weights(self) -> None:
        """As the authors': normal of 0.02, and a temporal branch that starts as zero in every block.

        With `temporal_fc` zero the temporal queries, keys and values get no gradient in the first step.
        """
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        for block in self.blocks:
            nn.init.zeros_(block.temporal_fc.weight)

    def embed(self, clip_BCTHW: Tensor) -> tuple[Tensor, Tensor]:
        """The class token (B, 1, D) and the patches (B, N, T, D), with their places and times."""
        x_BNTD = self.patch_embed(clip_BCTHW)
        frames, side = int(clip_BCTHW.shape[2]), int(clip_BCTHW.shape[-1]) // self.patch
        pos_1ND = resize_space(self.pos_embed[:, 1:], side)
        x_BNTD = x_BNTD + pos_1ND.unsqueeze(2) + resize_time(self.time_embed, frames).unsqueeze(1)
        return (self.cls_token + self.pos_embed[:, :1]).expand(x_BNTD.shape[0], -1, -1), x_BNTD

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> tuple[Tensor, Tensor]:
        """The normalised class token (B, D) and patches (B, N, T, D)."""
        times = self.frame_times(clip_BCTHW.shape[2], clip_BCTHW.device)
        cls, x = self.embed(clip_BCTHW)
        for i, block in enumerate(self.blocks):
            cls, x = block.run(cls, x, times, into, f"blocks.{i}")
        return self.norm(cls)[:, 0], self.norm(x)

    def forward_head(self, features: tuple[Tensor, Tensor], pre_logits: bool = False) -> Tensor:
        cls_BD, _ = features
        return cls_BD if pre_logits else self.head(cls_BD)

    def time_steps(self, features: tuple[Tensor, Tensor], num_frames: int) -> list[Tensor]:
        """The mean of each frame's patches."""
        _, x_BNTD = features
        return [x_BNTD.mean(dim=1)]

    def reset_classifier(self, num_grades: int) -> None:
        self.head = nn.Linear(self.num_features, num_grades).to(self.head.weight)
        nn.init.trunc_normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self.num_grades = num_grades

    def resize_table(self, name: str, table: Tensor) -> Tensor | None:
        if name == "time_embed":
            return resize_time(table, self.time_embed.shape[1])
        if name != "pos_embed":
            return None
        places = resize_space(table[:, 1:], math.isqrt(self.pos_embed.shape[1] - 1))
        return torch.cat([table[:, :1], places], dim=1)

    def no_weight_decay(self) -> set[str]:
        return {"cls_token", "pos_embed", "time_embed"}

    def group_matcher(self, coarse: bool = False) -> dict:
        return {
            "stem": r"^cls_token|pos_embed|time_embed|patch_embed",
            "blocks": [(r"^blocks\.(\d+)", None), (r"^norm", (99999,))],
        }


SIZES = {
    "paper": dict(patch=16, dim=768, depth=12, heads=12),
    "tiny": dict(patch=16, dim=48, depth=3, heads=3),
}


def build(size: str, *, drop_path: float = 0.1, **shape) -> TimeSformer:
    """drop_path: stochastic depth of the last layer, rising linearly from 0 at the first."""
    return TimeSformer(**SIZES[size], drop_path=drop_path, **shape)


WEIGHTS = {
    "timesformer_base": PretrainedWeights(
        "huggingface_hub",
        "facebook/timesformer-base-finetuned-k400",
        "Kinetics-400",
        "CC-BY-NC-4.0",
        frames=8,
        rate=0.9375,
    ),
}

register(
    ModelEntry(
        name="timesformer",
        title="TimeSformer",
        family="transformer",
        build=build,
        reference="G. Bertasius, H. Wang, L. Torresani: Is Space-Time Attention All You Need for Video Understanding?, "
        "ICML 2021",
        origin="ours; checked against transformers TimesformerForVideoClassification",
        licence="code Apache-2.0 (ours); weights CC-BY-NC-4.0 (facebookresearch/TimeSformer)",
        mean=KINETICS_MEAN_STD[0],
        std=KINETICS_MEAN_STD[1],
        tiny="3 of 12 layers, width 48 of 768, 3 heads of 12; patches of 16 px as in the paper's",
        paper_mse=(1.24, 0.08),
        wacv_mse=1.186,
        parameters=121_268_741,
        published=PublishedFigures(
            121.4, 196.7, "Bertasius et al. 2021, table 2: 0.59 TFLOPs for three views", frames=8
        ),
        official=WEIGHTS,
    )
)
