"""X3D-M: a small 2D network expanded step by step, with channelwise 3x3x3 convolutions.

C. Feichtenhofer: X3D: Expanding Architectures for Efficient Video Recognition, CVPR 2020. The network is
pytorchvideo's x3d_m, without the softmax that pytorchvideo ends it with.
"""

from torch import nn

from baselines.depthwise import train_fast
from baselines.layers import DROPOUT
from baselines.pytorchvideo_net import PyTorchVideoNet
from baselines.registry import (
    KINETICS_MEAN_STD,
    ModelEntry,
    PretrainedWeights,
    PublishedFigures,
    check_variant,
    register,
)

VARIANTS = ("x3d_m", "x3d_s", "x3d_l")


def build(
    size: str,
    *,
    num_grades,
    num_frames,
    crop_size,
    in_channels,
    variant: str = VARIANTS[0],
    dropout: float | None = None,
) -> PyTorchVideoNet:
    """variant: one of VARIANTS (s and m differ in their native input alone). dropout: before the classifier, by default
    DROPOUT's."""
    from pytorchvideo.models import hub
    from pytorchvideo.models.x3d import create_x3d

    check_variant("x3d", VARIANTS, variant, size)
    shape = dict(input_channel=in_channels, model_num_class=num_grades, head_activation=None)
    if size == "paper":
        net = getattr(hub, variant)(**shape)
    else:
        net = create_x3d(stem_dim_in=8, depth_factor=0.5, width_factor=1.0, head_dim_out=256, **shape)
    net.blocks[-1].pool.pool = nn.AdaptiveAvgPool3d(1)
    dropout = DROPOUT[size] if dropout is None else dropout
    return PyTorchVideoNet(train_fast(net), num_grades=num_grades, in_channels=in_channels, dropout=dropout)


register(
    ModelEntry(
        name="x3d",
        title="X3D",
        family="convolution",
        build=build,
        reference="C. Feichtenhofer: X3D: Expanding Architectures for Efficient Video Recognition, CVPR 2020",
        origin="pytorchvideo x3d_m",
        licence="code and weights Apache-2.0 (pytorchvideo)",
        mean=KINETICS_MEAN_STD[0],
        std=KINETICS_MEAN_STD[1],
        tiny="1, 1, 3, 2 blocks instead of 3, 5, 11, 7, a third of the width, 256 head channels of 2048",
        paper_mse=(1.71, 0.09),
        wacv_mse=1.808,
        parameters=2_984_919,
        published=PublishedFigures(
            3.79,
            6.72,
            "pytorchvideo model zoo",
            frames=16,
            crop=256,
            remark="published with BatchNorm as in training, 5 operations an element; in eval it takes 2",
        ),
        official={
            "x3d_m": PretrainedWeights("pytorchvideo", "x3d_m", "Kinetics-400", "Apache-2.0", frames=16, rate=6),
            "x3d_s": PretrainedWeights(
                "pytorchvideo", "x3d_s", "Kinetics-400", "Apache-2.0", frames=13, rate=5, crop=160
            ),
            "x3d_l": PretrainedWeights(
                "pytorchvideo", "x3d_l", "Kinetics-400", "Apache-2.0", frames=16, rate=6, crop=312
            ),
        },
    )
)
