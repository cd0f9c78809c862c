"""ViViT-B/16x2, model 1: joint attention over all tubelets of the clip.

A. Arnab et al.: ViViT: A Video Vision Transformer, ICCV 2021, section 3.3 (model 1) with the tubelet
embedding of section 3.2. Tokens are ordered (t h w) behind the class token.
"""

import math

import torch
from einops import rearrange, reduce
from torch import Tensor, nn

from baselines.contract import ClipModel, Features, Intermediates, TemporalAttention
from baselines.layers import Attention, norm_ratio, resize_space_time
from baselines.registry import INCEPTION_MEAN_STD, ModelEntry, PretrainedWeights, PublishedFigures, register

TUBELET = 2
"""frames a token spans"""


class TubeletEmbed(nn.Module):
    """Tubelets of 2 frames and `patch` x `patch` pixels, linearly: (B, C, T, H, W) -> (B, T/2 * N, D)."""

    def __init__(self, patch: int, in_channels: int, dim: int):
        super().__init__()
        tubelet = (TUBELET, patch, patch)
        self.proj = nn.Conv3d(in_channels, dim, kernel_size=tubelet, stride=tubelet)

    def forward(self, clip_BCTHW: Tensor) -> Tensor:
        return rearrange(self.proj(clip_BCTHW), "b d t h w -> b (t h w) d")


class Block(nn.Module):
    """A pre-norm transformer layer; `ViViT.forward_features` adds its branches up."""

    def __init__(self, dim: int, heads: int, drop_path: float):
        from timm.layers import DropPath, Mlp  # here, since timm takes seconds to import

        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, 4 * dim, act_layer=lambda: nn.GELU("tanh"))
        self.drop_path = DropPath(drop_path)


class ViViT(ClipModel):
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
        self.steps = num_frames // TUBELET  # of the position table
        self.patch_embed = TubeletEmbed(patch, in_channels, dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.steps * (crop_size // patch) ** 2, dim))
        rates = [drop_path * i / max(depth - 1, 1) for i in range(depth)]
        self.blocks = nn.ModuleList(Block(dim, heads, rate) for rate in rates)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, num_grades)
        self.init_weights()

    @property
    def temporal_layers(self) -> tuple[str, ...]:
        return tuple(f"blocks.{i}" for i in range(len(self.blocks)))

    def init_weights(self) -> None:
        """Normal of 0.02, as in ViT."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.trunc_normal_(self.cls_token, std=0.02)

    def embed(self, clip_BCTHW: Tensor) -> Tensor:
        """All tokens with their positions, class token first: (B, 1 + T/2 * N, D)."""
        steps, side = int(clip_BCTHW.shape[2]) // TUBELET, int(clip_BCTHW.shape[-1]) // self.patch
        tokens = self.patch_embed(clip_BCTHW) + resize_space_time(self.pos_embed[:, 1:], self.steps, steps, side)
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(tokens.shape[0], -1, -1)
        return torch.cat([cls, tokens], dim=1)

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        """The normalised tokens, class token first: (B, 1 + T/2 * N, D)."""
        steps = clip_BCTHW.shape[2] // TUBELET
        x = self.embed(clip_BCTHW)
        for i, block in enumerate(self.blocks):
            update, weights = block.attn(block.norm1(x), explicit=into is not None)
            if into is not None:
                times = self.step_times(clip_BCTHW)
                into.joint_attention[f"blocks.{i}"] = weights
                into.update_ratio[f"blocks.{i}.joint"] = ratio_B = norm_ratio(update, x)
                into.attention[f"blocks.{i}"] = TemporalAttention(
                    over_time(weights, steps), times, times, update_ratio={"": ratio_B}
                )
            x = x + block.drop_path(update)
            x = x + block.drop_path(block.mlp(block.norm2(x)))
            if into is not None:
                side = clip_BCTHW.shape[-1] // self.patch
                x_BDTHW = rearrange(x[:, 1:], "b (t h w) d -> b d t h w", t=steps, h=side)
                into.features[f"blocks.{i}"] = Features(x_BDTHW, times)
                x = torch.cat([x[:, :1], rearrange(x_BDTHW, "b d t h w -> b (t h w) d")], dim=1)
        return self.norm(x)

    def step_times(self, clip_BCTHW: Tensor) -> Tensor:
        """The middle of each tubelet, seconds from the first frame: (T/2,)."""
        times = self.frame_times(clip_BCTHW.shape[2], clip_BCTHW.device)
        return times.unflatten(0, (-1, TUBELET)).mean(dim=1)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        cls_BD = features[:, 0]
        return cls_BD if pre_logits else self.head(cls_BD)

    def time_steps(self, features: Tensor, num_frames: int) -> list[Tensor]:
        """The mean of each moment's tubelets."""
        return [reduce(features[:, 1:], "b (t n) d -> b t d", "mean", t=num_frames // TUBELET)]

    def reset_classifier(self, num_grades: int) -> None:
        self.head = nn.Linear(self.num_features, num_grades).to(self.head.weight)
        nn.init.trunc_normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self.num_grades = num_grades

    def resize_table(self, name: str, table: Tensor) -> Tensor | None:
        if name != "pos_embed":
            return None
        side = math.isqrt((self.pos_embed.shape[1] - 1) // self.steps)
        steps = steps_of_table(table.shape[1] - 1, self.steps, side)
        return torch.cat([table[:, :1], resize_space_time(table[:, 1:], steps, self.steps, side)], dim=1)

    def no_weight_decay(self) -> set[str]:
        return {"cls_token", "pos_embed"}

    def group_matcher(self, coarse: bool = False) -> dict:
        return {
            "stem": r"^cls_token|pos_embed|patch_embed",
            "blocks": [(r"^blocks\.(\d+)", None), (r"^norm", (99999,))],
        }


def steps_of_table(positions: int, steps: int, side: int) -> int:
    """How many steps in time a table of (t h w) positions has; it does not say.

    Of the numbers of steps of 8, 16 or 32 frames that leave a square: the one with `side` x `side`
    places, else `steps`, else the largest.
    """
    possible = [t for t in (4, 8, 16) if positions % t == 0 and math.isqrt(positions // t) ** 2 == positions // t]
    if not possible:
        raise ValueError(f"a table of {positions} positions is no square grid of 4, 8 or 16 steps")
    return next((t for t in possible if positions == t * side**2), steps if steps in possible else possible[-1])


def over_time(weights_BhNN: Tensor, steps: int) -> Tensor:
    """Joint attention (B, h, 1 + T N, 1 + T N) as attention over time (B, N, h, T, T).

    What a token gives to the class token is left out and what it gives to all places of a step is
    summed; each row is scaled to sum to 1.
    """
    places = weights_BhNN[:, :, 1:, 1:]
    weights = reduce(places, "b h (tq n) (tk m) -> b n h tq tk", "sum", tq=steps, tk=steps)
    return weights / weights.sum(dim=-1, keepdim=True)


SIZES = {
    "paper": dict(patch=16, dim=768, depth=12, heads=12),
    "tiny": dict(patch=16, dim=64, depth=3, heads=4),
}


def build(size: str, *, drop_path: float = 0.0, **shape) -> ViViT:
    """drop_path: stochastic depth of the last layer, rising linearly from 0 at the first."""
    return ViViT(**SIZES[size], drop_path=drop_path, **shape)


register(
    ModelEntry(
        name="vivit",
        title="ViViT",
        family="transformer",
        build=build,
        reference="A. Arnab et al.: ViViT: A Video Vision Transformer, ICCV 2021",
        origin="ours; checked against transformers VivitForVideoClassification",
        licence="code Apache-2.0 (ours); weights MIT (google/vivit-b-16x2-kinetics400)",
        mean=INCEPTION_MEAN_STD[0],
        std=INCEPTION_MEAN_STD[1],
        tiny="3 of 12 layers, width 64 of 768, 4 heads of 12; tubelets of 2x16x16 as in the paper's",
        paper_mse=(1.35, 0.05),
        wacv_mse=1.406,
        parameters=87_446_021,
        published=PublishedFigures(88.9, 455.2, "Arnab et al. 2021, table of model variants, model 1", frames=32),
        official={
            "vivit_base": PretrainedWeights(
                "huggingface_hub", "google/vivit-b-16x2-kinetics400", "Kinetics-400", "MIT", frames=32, rate=12.5
            ),
        },
    )
)
