"""R(2+1)D: a ResNet-18 whose 3x3x3 convolutions are split into one in space and one in time.

D. Tran et al.: A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018, section 3.
"""

from torch import nn

from baselines.contract import ClipModel
from baselines.layers import DROPOUT
from baselines.pytorchvideo_net import PyTorchVideoNet
from baselines.registry import (
    KINETICS_MEAN_STD,
    TORCHVISION_VIDEO_MEAN_STD,
    ModelEntry,
    PretrainedWeights,
    PublishedFigures,
    check_variant,
    register,
)
from baselines.torchvision_net import VideoResNet, adapt_stem, conv_norm_relu, narrow

VARIANTS = ("r2plus1d_18", "r2plus1d_r50")


def build(size: str, *, num_grades, num_frames, crop_size, in_channels, variant: str = VARIANTS[0]) -> ClipModel:
    """variant: 'r2plus1d_18' (torchvision) or 'r2plus1d_r50' (pytorchvideo, 16x4)."""
    check_variant("r2plus1d", VARIANTS, variant, size)
    shape = dict(num_grades=num_grades, in_channels=in_channels)
    if variant == "r2plus1d_r50":
        return build_r50(**shape)
    return VideoResNet(paper_net(**shape) if size == "paper" else tiny_net(**shape), **shape)


def paper_net(num_grades: int, in_channels: int) -> nn.Module:
    from torchvision.models.video import r2plus1d_18

    return adapt_stem(r2plus1d_18(num_classes=num_grades), in_channels)


def tiny_net(num_grades: int, in_channels: int) -> nn.Module:
    from torchvision.models.video.resnet import Conv2Plus1D

    width, middle = 10, 7
    stem = conv_norm_relu(in_channels, middle, (1, 7, 7), (1, 4, 4)) + conv_norm_relu(
        middle, width, (3, 1, 1), (1, 1, 1)
    )
    return narrow(Conv2Plus1D, nn.Sequential(*stem), width, num_grades)


def build_r50(num_grades: int, in_channels: int) -> PyTorchVideoNet:
    from pytorchvideo.models.hub import r2plus1d_r50

    net = r2plus1d_r50(input_channel=in_channels, model_num_class=num_grades, head_activation=None)
    net.blocks[-1].pool = nn.AdaptiveAvgPool3d(1)
    return PyTorchVideoNet(net, num_grades=num_grades, in_channels=in_channels, dropout=DROPOUT["paper"])


register(
    ModelEntry(
        name="r2plus1d",
        title="R(2+1)D",
        family="convolution",
        build=build,
        reference="D. Tran et al.: A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018",
        origin="torchvision r2plus1d_18",
        licence="code and weights BSD-3-Clause (torchvision)",
        mean=TORCHVISION_VIDEO_MEAN_STD[0],
        std=TORCHVISION_VIDEO_MEAN_STD[1],
        tiny="one of two blocks a stage, 10 of 64 channels, stem stride 4 instead of 2",
        paper_mse=(1.70, 0.08),
        wacv_mse=1.702,
        parameters=31_302_690,
        published=PublishedFigures(
            31.51, 40.52, "torchvision, metadata of R2Plus1D_18_Weights.KINETICS400_V1", frames=16, crop=112
        ),
        official={
            "r2plus1d_18": PretrainedWeights(
                "torchvision",
                "R2Plus1D_18_Weights.KINETICS400_V1",
                "Kinetics-400",
                "BSD-3-Clause",
                frames=16,
                rate=15,
                crop=112,
            ),
            "r2plus1d_r50": PretrainedWeights(
                "pytorchvideo",
                "r2plus1d_r50",
                "Kinetics-400",
                "Apache-2.0",
                frames=16,
                rate=7.5,
                mean_std=KINETICS_MEAN_STD,
            ),
        },
    )
)
