"""VGG-16: thirteen 3x3 convolutions, three fully connected layers.

K. Simonyan, A. Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR
2015, table 1 D. The network is timm's.
"""

from torch import Tensor

from baselines.contract import Intermediates
from baselines.layers import DROPOUT
from baselines.registry import IMAGENET_MEAN_STD, ModelEntry, PretrainedWeights, PublishedFigures, register
from baselines.timm_net import FrameModel, record

TINY = (10, 10, "M", 20, 20, "M", 40, 40, 40, "M", 80, 80, 80, "M", 80, 80, 80, "M")


class VGG16(FrameModel):
    first_convs = ("net.features.0",)

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        """The last map of the first frame, (B, D, H/32, W/32); recorded are the maps before each pooling."""
        x = clip_BCTHW[:, :, 0]
        ends = self.net.feature_ends[:-1]
        for i, layer in enumerate(self.net.features):
            x = layer(x)
            if i in ends:
                x = record(into, f"features.{i}", x)
        return x


def build(size: str, *, num_grades, num_frames, crop_size, in_channels, dropout: float | None = None) -> VGG16:
    """dropout: on both hidden fully connected layers, by default DROPOUT's."""
    import timm
    from timm.models.vgg import VGG, ClassifierHead, ConvMlp

    dropout = DROPOUT[size] if dropout is None else dropout
    shape = dict(num_classes=num_grades, in_chans=in_channels, drop_rate=dropout)
    if size == "paper":
        net = timm.create_model("vgg16", **shape)
    else:
        net = VGG(list(TINY), mlp_ratio=1 / 64, **shape)  # its own hidden layers are replaced: keep them small
        net.pre_logits = ConvMlp(TINY[-2], 256, kernel_size=2, drop_rate=dropout)
        net.head = ClassifierHead(256, num_grades, drop_rate=dropout)
        net.head_hidden_size = 256
        net._initialize_weights()
    return VGG16(net, num_grades=num_grades, in_channels=in_channels)


register(
    ModelEntry(
        name="vgg16",
        title="VGG16",
        family="image",
        build=build,
        reference="K. Simonyan, A. Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, "
        "ICLR 2015",
        origin="timm vgg16",
        licence="code Apache-2.0 (timm); weights BSD-3-Clause (torchvision)",
        mean=IMAGENET_MEAN_STD[0],
        std=IMAGENET_MEAN_STD[1],
        tiny="10, 20, 40, 80, 80 channels instead of 64, 128, 256, 512, 512; 256 hidden units on a 2x2 map instead of "
        "4096 on 7x7",
        paper_mse=(1.52, 0.07),
        wacv_mse=1.517,
        parameters=134_281_029,
        published=PublishedFigures(138.36, 15.47, "torchvision, metadata of VGG16_Weights.IMAGENET1K_V1", classes=1000),
        official={
            "vgg16": PretrainedWeights("timm", "vgg16.tv_in1k", "ImageNet-1k", "BSD-3-Clause"),
        },
    )
)
