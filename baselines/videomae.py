"""VideoMAE-B: trained to paint the nine tenths of a clip that are hidden from it.

Z. Tong et al.: VideoMAE: Masked Autoencoders are Data-Efficient Learners for Self-Supervised Video Pre-Training,
NeurIPS 2022. The network is transformers' `VideoMAEModel`, the encoder alone, before any labels were seen.
"""

from torch import Tensor, nn

from baselines.frozen import FrozenModel
from baselines.registry import IMAGENET_MEAN_STD, ModelEntry, PretrainedWeights, register
from baselines.transformers_net import TransformersBackbone

SIZES = {
    # What was not tuned on labels ends in a normalisation; what was has a mean over tokens before it.
    "paper": dict(settings=dict(use_mean_pooling=False), crop=224, side=14, width=768, heads=12),
    "tiny": dict(
        settings=dict(
            use_mean_pooling=False,
            image_size=64,
            hidden_size=48,
            num_hidden_layers=2,
            num_attention_heads=3,
            intermediate_size=96,
        ),
        crop=64,
        side=4,
        width=48,
        heads=3,
    ),
}


def tokens(net: nn.Module, clip_BTCHW: Tensor) -> Tensor:
    return net(clip_BTCHW).last_hidden_state


def build(size: str, *, num_frames: int, crop_size: int, grid: int = 4, **shape) -> FrozenModel:
    """grid: places along each side that features are averaged to. num_frames and crop_size change nothing."""
    backbone = TransformersBackbone("VideoMAEModel", "VideoMAEConfig", tokens=tokens, frames=16, steps=8, **SIZES[size])
    return FrozenModel(backbone, grid=grid, **shape)


register(
    ModelEntry(
        name="videomae",
        title="VideoMAE",
        family="frozen",
        build=build,
        reference="Z. Tong et al.: VideoMAE: Masked Autoencoders are Data-Efficient Learners for Self-Supervised Video "
        "Pre-Training, NeurIPS 2022",
        origin="transformers VideoMAEModel, whose 86.2 M parameters stay as they are",
        licence="code Apache-2.0 (transformers); weights CC-BY-NC-4.0 (MCG-NJU/VideoMAE), no commercial use",
        mean=IMAGENET_MEAN_STD[0],
        std=IMAGENET_MEAN_STD[1],
        tiny="2 of 12 layers, width 48 of 768, 3 heads of 12, 64 px",
        parameters=6_501_125,
        official={
            "base": PretrainedWeights(
                library="huggingface_hub",
                name="MCG-NJU/videomae-base",
                data="Kinetics-400, without labels",
                licence="CC-BY-NC-4.0",
                frames=16,
                crop=224,
            )
        },
    )
)
