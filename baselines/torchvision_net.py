"""What torchvision's video ResNets share: R3D and R(2+1)D differ in their convolutions and stems.

D. Tran et al.: A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018; torchvision
is its authors' reference implementation.
"""

import torch
from torch import Tensor, nn

from baselines.contract import ClipModel, Features, Intermediates, mean_over_space
from baselines.layers import fresh_classifier

STAGE_NAMES = ("stem", "layer1", "layer2", "layer3", "layer4")


class VideoResNet(ClipModel):
    """torchvision's `VideoResNet` as a model of clips, under its own parameter names inside `net`."""

    classifier = "net.fc"
    first_convs = ("net.stem.0",)

    def __init__(self, net: nn.Module, *, num_grades: int, in_channels: int):
        super().__init__()
        self.net = net
        self.num_grades = num_grades
        self.in_channels = in_channels
        self.num_features = net.fc.in_features

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        """The last stage, (B, D, T/8, H/16, W/16)."""
        x = clip_BCTHW
        times = self.frame_times(clip_BCTHW.shape[2], clip_BCTHW.device)
        for name in STAGE_NAMES:
            x = getattr(self.net, name)(x)
            if into is not None:
                times = times[:: len(times) // x.shape[2]]  # a strided convolution is centred on its first frame
                into.features[name] = Features(x, times)
        return x

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        pooled_BD = self.net.avgpool(features).flatten(1)
        return pooled_BD if pre_logits else self.net.fc(pooled_BD)

    def time_steps(self, features: Tensor, num_frames: int) -> list[Tensor]:
        return [mean_over_space(features)]

    def reset_classifier(self, num_grades: int) -> None:
        self.net.fc = fresh_classifier(self.net.fc, num_grades)
        self.num_grades = num_grades

    def group_matcher(self, coarse: bool = False) -> dict:
        block = r"^net\.layer(\d+)" if coarse else r"^net\.layer(\d+)\.(\d+)"
        return {"stem": r"^net\.stem", "blocks": block}


def adapt_stem(net: nn.Module, in_channels: int) -> nn.Module:
    """`net` with a first convolution for `in_channels`; torchvision's are for three."""
    old = net.stem[0]
    if in_channels != old.in_channels:
        net.stem[0] = nn.Conv3d(in_channels, old.out_channels, old.kernel_size, old.stride, old.padding, bias=False)
        nn.init.kaiming_normal_(net.stem[0].weight, mode="fan_out", nonlinearity="relu")
    return net


def narrow(conv: type[nn.Module], stem: nn.Sequential, width: int, num_grades: int) -> nn.Module:
    """torchvision's 18-layer network with one block a stage, the first of `width` channels, behind `stem`."""
    from torchvision.models.video.resnet import BasicBlock
    from torchvision.models.video.resnet import VideoResNet as TorchvisionNet

    with torch.device("meta"):  # every layer is replaced, so none needs memory
        net = TorchvisionNet(BasicBlock, [conv] * 4, [1, 1, 1, 1], stem=nn.Identity)
    net.stem, net.inplanes = stem, width
    for i in range(4):
        layer = net._make_layer(BasicBlock, conv, width * 2**i, 1, stride=1 if i == 0 else 2)
        setattr(net, f"layer{i + 1}", layer)
    net.fc = fresh_classifier(nn.Linear(8 * width, num_grades), num_grades)
    for module in net.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return net


def conv_norm_relu(in_channels: int, channels: int, kernel: tuple, stride: tuple) -> list[nn.Module]:
    padding = tuple(side // 2 for side in kernel)
    conv = nn.Conv3d(in_channels, channels, kernel, stride, padding, bias=False)
    return [conv, nn.BatchNorm3d(channels), nn.ReLU(inplace=True)]
