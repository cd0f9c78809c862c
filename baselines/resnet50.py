"""ResNet-50: residual bottlenecks.

K. He, X. Zhang, S. Ren, J. Sun: Deep Residual Learning for Image Recognition, CVPR 2016, table 1. The
network is timm's, with the stride in the 3x3 convolution as in all current weights.
"""

from torch import Tensor

from baselines.contract import Intermediates
from baselines.registry import (
    IMAGENET_MEAN_STD,
    ModelEntry,
    PretrainedWeights,
    PublishedFigures,
    check_variant,
    register,
)
from baselines.timm_net import FrameModel, record

VARIANTS = ("resnet50", "resnet18", "resnet101")


class ResNet(FrameModel):
    first_convs = ("net.conv1",)

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        """The last stage's map of the first frame, (B, D, H/32, W/32)."""
        net = self.net
        x = net.maxpool(net.act1(net.bn1(net.conv1(clip_BCTHW[:, :, 0]))))
        for name in ("layer1", "layer2", "layer3", "layer4"):
            x = getattr(net, name)(x)
            x = record(into, name, x)
        return x


def build(
    size: str,
    *,
    num_grades,
    num_frames,
    crop_size,
    in_channels,
    variant: str = "resnet50",
    dropout: float = 0.0,
    drop_path: float = 0.0,
) -> ResNet:
    """variant: one of VARIANTS. dropout: before the classifier. drop_path: stochastic depth of the last block."""
    import timm
    from timm.models.resnet import Bottleneck
    from timm.models.resnet import ResNet as TimmResNet

    check_variant("resnet50", VARIANTS, variant, size)
    shape = dict(num_classes=num_grades, in_chans=in_channels, drop_rate=dropout, drop_path_rate=drop_path)
    if size == "paper":
        net = timm.create_model(variant, **shape)
    else:
        net = TimmResNet(Bottleneck, layers=(1, 1, 2, 1), channels=(16, 32, 64, 128), **shape)
    return ResNet(net, num_grades=num_grades, in_channels=in_channels)


register(
    ModelEntry(
        name="resnet50",
        title="ResNet50",
        family="image",
        build=build,
        reference="K. He, X. Zhang, S. Ren, J. Sun: Deep Residual Learning for Image Recognition, CVPR 2016",
        origin="timm resnet50",
        licence="code and weights Apache-2.0 (timm)",
        mean=IMAGENET_MEAN_STD[0],
        std=IMAGENET_MEAN_STD[1],
        tiny="1, 1, 2, 1 bottlenecks of a quarter of the width",
        paper_mse=(1.58, 0.04),
        parameters=23_518_277,
        published=PublishedFigures(
            25.56, 4.09, "torchvision, metadata of ResNet50_Weights.IMAGENET1K_V1", classes=1000
        ),
        official={
            "resnet50": PretrainedWeights("timm", "resnet50.a1_in1k", "ImageNet-1k", "Apache-2.0"),
            "resnet18": PretrainedWeights("timm", "resnet18.a1_in1k", "ImageNet-1k", "Apache-2.0"),
            "resnet101": PretrainedWeights("timm", "resnet101.a1h_in1k", "ImageNet-1k", "Apache-2.0"),
        },
    )
)
