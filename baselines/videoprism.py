"""VideoPrism-B: learned from pairs of video and text, then to predict its own features of hidden patches.

L. Zhao et al.: VideoPrism: A Foundational Visual Encoder for Video Understanding, ICML 2024. The network is
transformers' `VideoPrismVisionModel`. On `main` the published repository holds the weights for JAX alone; those that
transformers reads are in its pull request 4, which transformers' documentation names.
"""

from torch import Tensor, nn

from baselines.frozen import FrozenModel
from baselines.registry import ModelEntry, PretrainedWeights, register
from baselines.transformers_net import TransformersBackbone

SIZES = {
    "paper": dict(settings={}, crop=288, side=16, width=768, heads=12),
    "tiny": dict(
        settings=dict(
            image_size=72,
            hidden_size=48,
            num_spatial_layers=2,
            num_temporal_layers=1,
            num_attention_heads=3,
            intermediate_size=96,
        ),
        crop=72,
        side=4,
        width=48,
        heads=3,
    ),
}


def tokens(net: nn.Module, clip_BTCHW: Tensor) -> Tensor:
    return net(clip_BTCHW).last_hidden_state


def build(size: str, *, num_frames: int, crop_size: int, grid: int = 4, **shape) -> FrozenModel:
    """grid: places along each side that features are averaged to. num_frames and crop_size change nothing."""
    classes = "VideoPrismVisionModel", "VideoPrismVisionConfig"
    return FrozenModel(
        TransformersBackbone(*classes, tokens=tokens, frames=16, steps=16, **SIZES[size]), grid=grid, **shape
    )


register(
    ModelEntry(
        name="videoprism",
        title="VideoPrism",
        family="frozen",
        build=build,
        reference="L. Zhao et al.: VideoPrism: A Foundational Visual Encoder for Video Understanding, ICML 2024",
        origin="transformers VideoPrismVisionModel, whose 114.4 M parameters stay as they are",
        licence="code Apache-2.0 (transformers); weights: the repository google-deepmind/videoprism puts software "
        "under Apache-2.0 and all else under CC-BY-4.0",
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        tiny="2 of 12 layers in space, 1 of 4 in time, width 48 of 768, 3 heads of 12, 72 px",
        parameters=6_501_125,
        official={
            "base_f16r288": PretrainedWeights(
                library="huggingface_hub",
                name="google/videoprism-base-f16r288",
                file="model.safetensors",
                revision="refs/pr/4",
                data="WebLI and video with captions and noisy text",
                licence="Apache-2.0 or CC-BY-4.0",
                frames=16,
                crop=288,
            )
        },
    )
)
