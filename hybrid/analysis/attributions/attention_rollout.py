"""Attention Rollout: attention followed from the class token through all layers, whatever the answer."""

from __future__ import annotations

import torch
from torch import Tensor

from baselines import ClipModel
from baselines.contract import Intermediates
from hybrid.analysis.attribution import Attribution
from hybrid.analysis.attributions.placing import on_clip
from hybrid.analysis.attributions.token_paths import AttentionLayer, Mixing, attention_layers, class_token_row
from hybrid.analysis.subject import Subject


class AttentionRollout(Attribution):
    """The class token's row of the product over layers of (1 - w) I + w A, with A the mean over heads.

    w is 0.5 as published, which assumes that a layer adds as much as it is added to. With `measured` it is what the
    branch really adds: r / (1 + r) for r the norm of the update over the norm of what it is added to, clip by clip.

    Divided attention is two layers, over time and within each frame. The class token takes no part in the first, and in
    the second a copy of it reads each frame and the copies are averaged. The MLPs between are left out, as published.
    """

    source = "S. Abnar, W. Zuidema: Quantifying Attention Flow in Transformers, ACL 2020"

    def __init__(self, measured: bool = False):
        self.measured = measured
        self.name = "attention_rollout_measured" if measured else "attention_rollout"
        self.title = "Attention Rollout" + (" with measured residuals" if measured else "")

    def applies_to(self, model: ClipModel) -> bool:
        return model.class_token

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return 1

    @torch.no_grad()
    def relevance(self, subject: Subject, clip_BCTHW: Tensor) -> Tensor:
        _, inside = subject.model.forward_intermediates(clip_BCTHW)
        mixing = [self.mixing(layer, inside) for layer in attention_layers(inside)]
        times_S = list(inside.features.values())[-1].times
        return on_clip(class_token_row(mixing, inside), times_S, subject.model, clip_BCTHW)

    def mixing(self, layer: AttentionLayer, inside: Intermediates) -> Mixing:
        ratio_B = inside.update_ratio[layer.name]
        share_B = ratio_B / (1 + ratio_B) if self.measured else torch.full_like(ratio_B, 0.5)
        M = layer.weights.mean(dim=-3)
        if M.ndim == 4 and not layer.over_time:
            M[:, :, 0] /= M.shape[1]  # the mean over the class token's copies, of which ViT has but one
        return Mixing(layer.over_time, 1 - share_B, M * share_B.reshape(-1, *[1] * (M.ndim - 1)))
