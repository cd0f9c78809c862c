"""Transformer Explainability: attention that speaks for the answer, followed through all layers."""

from __future__ import annotations

import torch
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.attribution import Attribution
from hybrid.analysis.attributions.answer import look_inside, top_grade
from hybrid.analysis.attributions.cross_pathway import before_attention
from hybrid.analysis.attributions.placing import on_clip
from hybrid.analysis.attributions.token_paths import Mixing, attention_layers, class_token_row
from hybrid.analysis.subject import Subject
from hybrid.model.hybrid import Hybrid


class TransformerExplainability(Attribution):
    """The class token's row of R, from R = I by R <- R + E R in every layer, E the mean over heads of (dy/dA * A)+.

    y is the log-probability of the top grade. This is the authors' second form (ICCV 2021), which takes the attention
    itself where the first (CVPR 2021, which the sperm paper cites) takes its relevance, propagated by LRP through every
    module.

    Divided attention is two layers, over time and within each frame. The class token's copies, one a frame, are added
    up here: dy/dA of a copy holds its share of their mean already. In the hybrid, which has no class token, relevance
    starts at the pooled places: see `cross_pathway`.
    """

    name = "transformer_explainability"
    title = "Transformer Explainability"
    source = (
        "H. Chefer, S. Gur, L. Wolf: Generic Attention-model Explainability for Interpreting Bi-Modal and "
        "Encoder-Decoder Transformers, ICCV 2021, equations 5 and 6; named for their CVPR 2021 paper"
    )

    def applies_to(self, model: ClipModel) -> bool:
        return model.class_token or (isinstance(model, Hybrid) and len(model.temporal_layers) > 0)

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return 3

    @torch.enable_grad()
    def relevance(self, subject: Subject, clip_BCTHW: Tensor) -> Tensor:
        model = subject.model
        logits_BK, inside = look_inside(subject, clip_BCTHW)
        if isinstance(model, Hybrid):
            maps = before_attention(model, inside, top_grade(logits_BK))
            return sum(on_clip(map_BSHW, times_S, model, clip_BCTHW) for map_BSHW, times_S in maps.values())
        layers = attention_layers(inside)
        speaking = speaking_for(top_grade(logits_BK), [layer.weights for layer in layers])
        mixing = [
            Mixing(layer.over_time, torch.ones_like(logits_BK[:, 0]), E)
            for layer, E in zip(layers, speaking, strict=True)
        ]
        times_S = list(inside.features.values())[-1].times
        return on_clip(class_token_row(mixing, inside), times_S, model, clip_BCTHW)


def speaking_for(answer_B: Tensor, weights: list[Tensor]) -> list[Tensor]:
    """E of each layer: (..., h, Nq, Nk) -> (..., Nq, Nk)."""
    gradients = torch.autograd.grad(answer_B.sum(), weights)
    return [(dA * A.detach()).relu().mean(dim=-3) for dA, A in zip(gradients, weights, strict=True)]
