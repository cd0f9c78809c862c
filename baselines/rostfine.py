r"""RoSTFine: a TimeSformer that also grades by the patches its class token looks at most.

T. Fujii, H. Nakagawa, T. Takeshima, Y. Yumura, T. Hamagami: Automated Sperm Assessment Framework and Neural Network
Specialized for Sperm Video Recognition, WACV 2024 (arXiv:2311.05927). The paper's authors' own next model, most likely
on the same clips.

                      class token ------------------------------------------------> global feature --+
                     /                                                                               |
    clip -> TimeSformer                        +-> all frames at once: attention --> time feature ---+-> three heads,
                     \                          |                                                     |   mean of their
                      3 patches a frame, those |                                                     |   distributions
                      the class token attends -+-> frame by frame: attention, mean -> space feature -+
                      to most in the last layer

The three features are asked to differ: their pairwise cosine similarities are part of the loss.
"""

from __future__ import annotations

import math
from itertools import combinations

import torch
from einops import einsum, rearrange, reduce, repeat
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.contract import GradeLoss, Intermediates
from baselines.layers import Attention
from baselines.registry import KINETICS_MEAN_STD, ModelEntry, register
from baselines.timesformer import SIZES as TIMESFORMER_SIZES
from baselines.timesformer import WEIGHTS, TimeSformer

SELECTED = 3
"""patches of each frame"""
HEADS = 8
"""of the branches' attention, at both sizes"""


class Branch(nn.Module):
    """Two layers of self-attention, which share one LayerNorm before them, and a perceptron; no residuals."""

    def __init__(self, dim: int):
        from timm.layers import Mlp  # here, since timm takes seconds to import

        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = nn.ModuleList(Attention(dim, HEADS, qkv_bias=False) for _ in range(2))
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, dim)

    def forward(self, tokens_BND: Tensor) -> Tensor:
        """What becomes of the first token: (B, D)."""
        for attention in self.attention:
            tokens_BND, _ = attention(self.norm1(tokens_BND))
        return self.mlp(self.norm2(tokens_BND[:, 0]))


class FeatureHeads(nn.Module):
    """A linear classifier for each of F features, side by side: (B, F D) -> logits (B, K) of the mean distribution."""

    def __init__(self, features: int, dim: int, num_grades: int):
        super().__init__()
        self.out_features = num_grades
        self.weight = nn.Parameter(torch.empty(features, num_grades, dim))
        self.bias = nn.Parameter(torch.zeros(features, num_grades))
        nn.init.trunc_normal_(self.weight, std=0.02)

    def forward(self, pooled_BX: Tensor) -> Tensor:
        return mean_distribution(self.each(pooled_BX.unflatten(1, (len(self.weight), -1))))

    def each(self, x_BFD: Tensor) -> Tensor:
        """Logits (B, F, K) of every feature's classifier."""
        return einsum(x_BFD, self.weight, "b f d, f k d -> b f k") + self.bias

    def input_layers(self) -> list[tuple[Tensor, Tensor]]:
        return list(zip(self.weight, self.bias, strict=True))


class RoSTFine(TimeSformer):
    """`clip (B, C, T, H, W) -> logits (B, K)`: the logarithm of the mean of three distributions.

    Attention, perceptron and heads keep TimeSformer's names, so that its checkpoints load; the branches start anew.

    The branches read places of the last layer and mix moments once more. So neither a rollout from the class token nor
    one through the layers of attention over time tells where the answer comes from, and both are left out.
    """

    new_module_prefixes = ("time_branch", "space_branch")
    class_token = False
    temporal_layers = ()

    def __init__(self, *, num_grades: int, dim: int, **shape):
        super().__init__(num_grades=num_grades, dim=dim, **shape)
        self.num_features = 3 * dim
        self.time_branch, self.space_branch = Branch(dim), Branch(dim)
        self.head = FeatureHeads(3, dim, num_grades)

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        """The global, time and space features (B, 3, D)."""
        times = self.frame_times(clip_BCTHW.shape[2], clip_BCTHW.device)
        cls, x = self.embed(clip_BCTHW)
        *before, last = self.blocks
        for i, block in enumerate(before):
            cls, x = block.run(cls, x, times, into, f"blocks.{i}")
        # Its weights are needed, so that this layer is always computed the explicit way.
        seen, name = into or Intermediates(), f"blocks.{len(before)}"
        cls, x = last.run(cls, x, times, seen, name)
        cls_B1D, x_BNTD = self.norm(cls), self.norm(x)
        selected_BTSD = most_attended(x_BNTD, seen.spatial_attention[name])

        everything = rearrange(selected_BTSD, "b t s d -> b (t s) d")
        time_BD = self.time_branch(torch.cat([cls_B1D, everything], dim=1))
        a_frame = rearrange(selected_BTSD, "b t s d -> (b t) s d")
        frame_cls = repeat(cls_B1D, "b 1 d -> (b t) 1 d", t=len(times))
        space_XD = self.space_branch(torch.cat([frame_cls, a_frame], dim=1))
        space_BD = reduce(space_XD, "(b t) d -> b d", "mean", t=len(times))
        return torch.stack([cls_B1D[:, 0], time_BD, space_BD], dim=1)

    def forward_head(self, features_BFD: Tensor, pre_logits: bool = False) -> Tensor:
        pooled_BX = rearrange(features_BFD, "b f d -> b (f d)")
        return pooled_BX if pre_logits else self.head(pooled_BX)

    def time_steps(self, features_BFD: Tensor, num_frames: int) -> list[Tensor]:
        """Of its three features none is of a moment."""
        return [self.forward_head(features_BFD, pre_logits=True).unsqueeze(1)]

    def grade_loss(self, clip_BCTHW: Tensor, target_BK: Tensor, loss: GradeLoss) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean loss of the three distributions, and the mean cosine similarity of the three features."""
        features_BFD = self.forward_features(self.checked(clip_BCTHW))
        logits_BFK = self.head.each(features_BFD)
        grades = torch.stack([loss(logits_BK, target_BK) for logits_BK in logits_BFK.unbind(1)]).mean()
        return mean_distribution(logits_BFK), {"grades": grades, "diversity": similarity(features_BFD)}

    def reset_classifier(self, num_grades: int) -> None:
        self.head = FeatureHeads(3, self.num_features // 3, num_grades).to(self.head.weight)
        self.num_grades = num_grades

    def group_matcher(self, coarse: bool = False) -> dict:
        matcher = super().group_matcher(coarse)
        matcher["blocks"].append((r"^(?:time|space)_branch", (99999,)))
        return matcher


def most_attended(x_BNTD: Tensor, weights: Tensor) -> Tensor:
    """Of each frame's patches the SELECTED ones the class token attends to most, heads added up: (B, T, SELECTED, D).

    weights: of attention within a frame, (B, T, h, 1 + N, 1 + N), the class token first.
    """
    looked_at_BTN = reduce(weights[:, :, :, 0, 1:], "b t h n -> b t n", "sum")
    chosen_BTS = looked_at_BTN.topk(SELECTED, dim=-1).indices
    index = repeat(chosen_BTS, "b t s -> b t s d", d=x_BNTD.shape[-1])
    return rearrange(x_BNTD, "b n t d -> b t n d").gather(2, index)


def mean_distribution(logits_BFK: Tensor) -> Tensor:
    """Logits (B, K) of the mean of the features' distributions."""
    return logits_BFK.log_softmax(-1).logsumexp(dim=1) - math.log(logits_BFK.shape[1])


def similarity(features_BFD: Tensor) -> Tensor:
    """Mean over clips and pairs of features of their cosine similarity: the paper's diversity loss."""
    pairs = combinations(features_BFD.float().unbind(1), 2)
    return torch.stack([F.cosine_similarity(one_BD, other_BD) for one_BD, other_BD in pairs]).mean()


SIZES = TIMESFORMER_SIZES | {"tiny": TIMESFORMER_SIZES["tiny"] | {"depth": 2}}


def build(size: str, *, drop_path: float = 0.1, **shape) -> RoSTFine:
    """drop_path: stochastic depth of TimeSformer's last layer, rising linearly from 0 at the first."""
    return RoSTFine(**SIZES[size], drop_path=drop_path, **shape)


register(
    ModelEntry(
        name="rostfine",
        extends="timesformer",
        title="RoSTFine",
        family="transformer",
        build=build,
        reference="T. Fujii et al.: Automated Sperm Assessment Framework and Neural Network Specialized for Sperm "
        "Video Recognition, WACV 2024",
        origin="ours, from the paper's description; no other implementation has a licence",
        licence="code Apache-2.0 (ours); TimeSformer's weights CC-BY-NC-4.0 (facebookresearch/TimeSformer)",
        mean=KINETICS_MEAN_STD[0],
        std=KINETICS_MEAN_STD[1],
        tiny="2 of 12 layers, width 48 of 768, 3 heads of 12; branches of that width",
        wacv_mse=1.104,
        parameters=133_085_199,
        official=WEIGHTS,
        after_paper=True,
    )
)
