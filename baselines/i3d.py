"""I3D: a ResNet-50 whose convolutions are inflated in time.

J. Carreira, A. Zisserman: Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset, CVPR 2017;
with the ResNet-50 of X. Wang et al.: Non-local Neural Networks, CVPR 2018, as pytorchvideo's i3d_r50 is.
"""

from torch import nn

from baselines.layers import DROPOUT
from baselines.pytorchvideo_net import PyTorchVideoNet
from baselines.registry import KINETICS_MEAN_STD, ModelEntry, PretrainedWeights, PublishedFigures, register

CONV_A = (((3, 1, 1),), ((3, 1, 1), (1, 1, 1)), ((3, 1, 1), (1, 1, 1)), ((1, 1, 1), (3, 1, 1)))


def build(
    size: str, *, num_grades, num_frames, crop_size, in_channels, dropout: float | None = None
) -> PyTorchVideoNet:
    """dropout: before the classifier, by default DROPOUT's."""
    shape = dict(in_channels=in_channels, num_grades=num_grades)
    net = paper_net(**shape) if size == "paper" else tiny_net(**shape)
    net.blocks[-1].pool = nn.AdaptiveAvgPool3d(1)
    dropout = DROPOUT[size] if dropout is None else dropout
    return PyTorchVideoNet(net, num_grades=num_grades, in_channels=in_channels, dropout=dropout)


def paper_net(in_channels: int, num_grades: int) -> nn.Module:
    from pytorchvideo.models.hub import i3d_r50

    return i3d_r50(input_channel=in_channels, model_num_class=num_grades)


def tiny_net(in_channels: int, num_grades: int) -> nn.Module:
    """pytorchvideo's `create_resnet`, whose smallest depth is 50, with fewer and narrower bottlenecks."""
    from pytorchvideo.models.head import create_res_basic_head
    from pytorchvideo.models.net import Net
    from pytorchvideo.models.resnet import create_bottleneck_block, create_res_stage
    from pytorchvideo.models.stem import create_res_basic_stem

    width, depths = 8, (1, 1, 2, 1)
    stem = create_res_basic_stem(
        in_channels=in_channels, out_channels=width, conv_kernel_size=(5, 3, 3), conv_stride=(1, 2, 2),
        conv_padding=(2, 1, 1), pool_kernel_size=(1, 3, 3), pool_stride=(1, 2, 2), pool_padding=(0, 1, 1),
    )  # fmt: skip
    stages = []
    for i, depth in enumerate(depths):
        stage = create_res_stage(
            depth=depth, dim_in=width if i == 0 else 2 * width * 2**i, dim_inner=width * 2**i,
            dim_out=4 * width * 2**i, bottleneck=create_bottleneck_block, conv_a_kernel_size=list(CONV_A[i]),
            conv_a_stride=(1, 1, 1), conv_a_padding=[(kernel[0] // 2, 0, 0) for kernel in CONV_A[i]],
            conv_b_kernel_size=(1, 3, 3), conv_b_stride=(1, 1, 1) if i == 0 else (1, 2, 2), conv_b_padding=(0, 1, 1),
        )  # fmt: skip
        stages.append(stage)
    stages.insert(1, nn.MaxPool3d((2, 1, 1), stride=(2, 1, 1)))
    head = create_res_basic_head(in_features=32 * width, out_features=num_grades, pool=None, activation=None)
    return Net(blocks=nn.ModuleList([stem, *stages, head]))


register(
    ModelEntry(
        name="i3d",
        title="I3D",
        family="convolution",
        build=build,
        reference="J. Carreira, A. Zisserman: Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset, "
        "CVPR 2017",
        origin="pytorchvideo i3d_r50 (8x8)",
        licence="code and weights Apache-2.0 (pytorchvideo)",
        mean=KINETICS_MEAN_STD[0],
        std=KINETICS_MEAN_STD[1],
        tiny="1, 1, 2, 1 bottlenecks instead of 3, 4, 6, 3, an eighth of the width, stem of 5x3x3 instead of 5x7x7",
        paper_mse=(1.45, 0.09),
        wacv_mse=1.376,
        parameters=27_234_117,
        published=PublishedFigures(28.04, 37.53, "pytorchvideo model zoo", frames=8, crop=256),
        official={
            "i3d_r50": PretrainedWeights("pytorchvideo", "i3d_r50", "Kinetics-400", "Apache-2.0", frames=8, rate=3.75),
        },
    )
)
