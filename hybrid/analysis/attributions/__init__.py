"""The methods that explain an answer by the pixels of the frames, a file each; this is the one list of them."""

from hybrid.analysis.attribution import Attribution
from hybrid.analysis.attributions import integrated_gradients
from hybrid.analysis.attributions.grad_cam import GradCAM

ATTRIBUTIONS: dict[str, Attribution] = {
    attribution.name: attribution
    for attribution in (
        GradCAM(),
        integrated_gradients.from_temporal_mean(),
        integrated_gradients.from_blur(),
    )
}
"""by name, as options and files spell it; `applies_to` says which models a method is for"""
