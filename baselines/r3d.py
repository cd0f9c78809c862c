"""R3D: a ResNet-18 of 3x3x3 convolutions.

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

VARIANTS = ("r3d_18", "slow_r50")


def build(size: str, *, num_grades, num_frames, crop_size, in_channels, variant: str = VARIANTS[0]) -> ClipModel:
    """variant: 'r3d_18' (torchvision) or 'slow_r50' (pytorchvideo, 8x8), which its authors call Slow: a ResNet-50 of
    convolutions in space with some in time in its last two stages. T. Fujii et al., WACV 2024, call it R3D.
    """
    check_variant("r3d", VARIANTS, variant, size)
    if variant == "slow_r50":
        return build_slow(num_grades, in_channels)
    from torchvision.models.video import r3d_18
    from torchvision.models.video.resnet import Conv3DSimple

    if size == "paper":
        net = adapt_stem(r3d_18(num_classes=num_grades), in_channels)
    else:
        stem = nn.Sequential(*conv_norm_relu(in_channels, 8, (3, 7, 7), (1, 4, 4)))
        net = narrow(Conv3DSimple, stem, width=8, num_grades=num_grades)
    return VideoResNet(net, num_grades=num_grades, in_channels=in_channels)


def build_slow(num_grades: int, in_channels: int) -> PyTorchVideoNet:
    """C. Feichtenhofer et al.: SlowFast Networks for Video Recognition, ICCV 2019, its Slow pathway alone."""
    from pytorchvideo.models.hub import slow_r50

    net = slow_r50(input_channel=in_channels, model_num_class=num_grades)
    net.blocks[-1].pool = nn.AdaptiveAvgPool3d(1)
    return PyTorchVideoNet(net, num_grades=num_grades, in_channels=in_channels, dropout=DROPOUT["paper"])


register(
    ModelEntry(
        name="r3d",
        title="R3D",
        family="convolution",
        build=build,
        reference="D. Tran et al.: A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018",
        origin="torchvision r3d_18",
        licence="code and weights BSD-3-Clause (torchvision)",
        mean=TORCHVISION_VIDEO_MEAN_STD[0],
        std=TORCHVISION_VIDEO_MEAN_STD[1],
        tiny="one of two blocks a stage, an eighth of the width, stem stride 4 instead of 2",
        paper_mse=(1.34, 0.08),
        wacv_mse=1.365,
        parameters=33_168_837,
        published=PublishedFigures(
            33.37, 40.70, "torchvision, metadata of R3D_18_Weights.KINETICS400_V1", frames=16, crop=112
        ),
        official={
            "r3d_18": PretrainedWeights(
                "torchvision",
                "R3D_18_Weights.KINETICS400_V1",
                "Kinetics-400",
                "BSD-3-Clause",
                frames=16,
                rate=15,
                crop=112,
            ),
            "slow_r50": PretrainedWeights(
                "pytorchvideo",
                "slow_r50",
                "Kinetics-400",
                "Apache-2.0",
                frames=8,
                rate=3.75,
                mean_std=KINETICS_MEAN_STD,
            ),
        },
    )
)
