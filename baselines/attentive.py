"""The attentive probe that V-JEPA is evaluated with: one learned query looks at all features of a clip.

A. Bardes et al.: Revisiting Feature Prediction for Learning Visual Representations from Video, 2024, section 4.2; M.
Assran et al.: V-JEPA 2, 2025, put three layers of self-attention before it, which cost as much as part of a network.
"""

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor, nn

from baselines.contract import ClipModel, Intermediates
from baselines.layers import fresh_classifier

MLP_RATIO, EPS = 4, 1e-6


def standardised(x_D: Tensor) -> Tensor:
    """(..., D) of mean 0 and variance 1 over D: a layer normalisation but for its scale and shift."""
    return F.layer_norm(x_D, x_D.shape[-1:], eps=EPS)


class LookedAt(nn.Module):
    """One query's attention over N standardised features behind the normalisation's scale and shift, without a
    projection behind it.

    The query is the same for all clips. So the keys' projection and the normalisation's scale are applied to it, and
    the values' to what was looked at: the same result as scaling and projecting all N features, for a small part of
    the work. What the keys' bias or the normalisation's would add is the same for every score, and is left out there.
    """

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dim, eps=EPS)
        self.q, self.k, self.v = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False), nn.Linear(dim, dim)

    def forward(self, query_D: Tensor, x_BND: Tensor) -> Tensor:
        """(B, D)"""
        q_hd = rearrange(self.q(query_D), "(h d) -> h d", h=self.heads)
        k_hdD, v_hdD = (rearrange(layer.weight, "(h d) D -> h d D", h=self.heads) for layer in (self.k, self.v))
        query_hD = einsum(q_hd, k_hdD, "h d, h d D -> h D") * q_hd.shape[1] ** -0.5 * self.norm.weight
        weights_BNh = F.linear(x_BND, query_hD).float().softmax(dim=1).to(x_BND.dtype)
        # In this order a backward pass, too, multiplies whole features; einsum's takes twice as long.
        seen_BDh = rearrange(x_BND, "b n D -> b D n") @ weights_BNh
        seen_BhD = rearrange(seen_BDh, "b D h -> b h D") * self.norm.weight + self.norm.bias
        return rearrange(einsum(seen_BhD, v_hdD, "b h D, h d D -> b h d"), "b h d -> b (h d)") + self.v.bias


class AttentiveProbe(ClipModel):
    """Standardised features (B, T, P, D), P places of T moments, taken for a clip -> logits (B, K)."""

    classifier = "head"
    first_convs = ()
    new_module_prefixes = ("query", "attention", "norm", "mlp")

    def __init__(self, dim: int, heads: int, *, num_grades: int, in_channels: int):
        super().__init__()
        self.num_features, self.num_grades, self.in_channels = dim, num_grades, in_channels
        self.query = nn.Parameter(torch.empty(dim))
        self.attention, self.norm = LookedAt(dim, heads), nn.LayerNorm(dim, eps=EPS)
        self.mlp = nn.Sequential(nn.Linear(dim, MLP_RATIO * dim), nn.GELU(), nn.Linear(MLP_RATIO * dim, dim))
        self.head = fresh_classifier(nn.Linear(dim, num_grades), num_grades)
        nn.init.trunc_normal_(self.query, std=0.02)
        for module in (*self.attention.children(), *self.mlp):
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def checked(self, features_BTPD: Tensor) -> Tensor:
        return features_BTPD

    def forward_features(self, features_BTPD: Tensor, into: Intermediates | None = None) -> Tensor:
        return features_BTPD

    def forward_head(self, features_BTPD: Tensor, pre_logits: bool = False) -> Tensor:
        pooled_BD = self.query + self.attention(self.query, rearrange(features_BTPD, "b t p d -> b (t p) d"))
        pooled_BD = pooled_BD + self.mlp(self.norm(pooled_BD))
        return pooled_BD if pre_logits else self.head(pooled_BD)

    def reset_classifier(self, num_grades: int) -> None:
        self.head = fresh_classifier(self.head, num_grades)
        self.num_grades = num_grades

    def group_matcher(self, coarse: bool = False) -> dict:
        return {"stem": r"^query", "blocks": [(r"^attention", (0,)), (r"^norm|^mlp", (1,))]}
