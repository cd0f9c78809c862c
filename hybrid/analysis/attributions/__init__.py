"""The methods that explain an answer by the pixels of the frames, a file each; this is the one list of them."""

from hybrid.analysis.attribution import Attribution
from hybrid.analysis.attributions import integrated_gradients
from hybrid.analysis.attributions.attention_rollout import AttentionRollout
from hybrid.analysis.attributions.grad_cam import GradCAM
from hybrid.analysis.attributions.gradient_input import GradientInput
from hybrid.analysis.attributions.occlusion import Occlusion
from hybrid.analysis.attributions.transformer_explainability import TransformerExplainability

ATTRIBUTIONS: dict[str, Attribution] = {
    attribution.name: attribution
    for attribution in (
        GradCAM(),
        integrated_gradients.from_temporal_mean(),
        integrated_gradients.from_blur(),
        Occlusion(),
        GradientInput(),
        AttentionRollout(),
        AttentionRollout(measured=True),
        TransformerExplainability(),
    )
}
"""by name, as options and files spell it; `applies_to` says which models a method is for"""

COMMON = ("grad_cam", "integrated_gradients_blur", "occlusion")
"""what models are compared by: methods for every model, and about the cell, not its motion alone"""
