"""V-JEPA 2, ViT-L: trained to predict the features of what is hidden in a clip from those of the rest.

M. Assran et al.: V-JEPA 2: Self-Supervised Video Models Enable Understanding, Prediction and Planning, 2025. The
network is transformers' `VJEPA2Model`, whose predictor is not used. It was trained on 64 frames and is evaluated on 16
too; positions are relative.
"""

from torch import Tensor, nn

from baselines.frozen import FrozenModel
from baselines.registry import IMAGENET_MEAN_STD, ModelEntry, PretrainedWeights, register
from baselines.transformers_net import TransformersBackbone

SIZES = {
    "paper": dict(settings={}, crop=256, side=16, width=1024, heads=16),
    "tiny": dict(
        settings=dict(
            crop_size=64,
            hidden_size=48,
            num_hidden_layers=2,
            num_attention_heads=3,
            pred_hidden_size=24,
            pred_num_attention_heads=2,
            pred_num_hidden_layers=1,
        ),
        crop=64,
        side=4,
        width=48,
        heads=3,
    ),
}


def tokens(net: nn.Module, clip_BTCHW: Tensor) -> Tensor:
    return net.get_vision_features(clip_BTCHW)


def build(size: str, *, num_frames: int, crop_size: int, grid: int = 4, **shape) -> FrozenModel:
    """grid: places along each side that features are averaged to. num_frames and crop_size change nothing."""
    backbone = TransformersBackbone("VJEPA2Model", "VJEPA2Config", tokens=tokens, frames=16, steps=8, **SIZES[size])
    return FrozenModel(backbone, grid=grid, **shape)


register(
    ModelEntry(
        name="vjepa2",
        title="V-JEPA 2",
        family="frozen",
        build=build,
        reference="M. Assran et al.: V-JEPA 2: Self-Supervised Video Models Enable Understanding, Prediction and "
        "Planning, 2025",
        origin="transformers VJEPA2Model, whose encoder of 303.9 M parameters stays as it is",
        licence="code Apache-2.0 (transformers); weights MIT or Apache-2.0 (facebookresearch/vjepa2: its repository "
        "says the one, its model card may say the other)",
        mean=IMAGENET_MEAN_STD[0],
        std=IMAGENET_MEAN_STD[1],
        tiny="2 of 24 layers, width 48 of 1024, 3 heads of 16, 64 px",
        parameters=11_551_749,
        official={
            "vitl_fpc64_256": PretrainedWeights(
                library="huggingface_hub",
                name="facebook/vjepa2-vitl-fpc64-256",
                file="model.safetensors",
                data="VideoMix22M, without labels",
                licence="MIT or Apache-2.0",
                frames=64,
                crop=256,
            )
        },
    )
)
