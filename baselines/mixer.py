"""MLP-Mixer-B/16: MLPs across places and across channels in turn.

I. Tolstikhin et al.: MLP-Mixer: An all-MLP Architecture for Vision, NeurIPS 2021, section 2. The network
is timm's. Its MLPs across places have one weight a place, so it has one crop size; frames of another
are resized to that.
"""

import torch.nn.functional as F
from torch import Tensor

from baselines.contract import Intermediates
from baselines.registry import INCEPTION_MEAN_STD, ModelEntry, PretrainedWeights, PublishedFigures, register
from baselines.timm_net import FrameModel, record_tokens


class Mixer(FrameModel):
    first_convs = ("net.stem.proj",)

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        """The normalised tokens of the first frame: (B, N, D)."""
        frame_BCHW = clip_BCTHW[:, :, 0]
        size = tuple(self.net.stem.img_size)
        if tuple(frame_BCHW.shape[-2:]) != size:
            frame_BCHW = F.interpolate(frame_BCHW, size=size, mode="bilinear", antialias=True, align_corners=False)
        x = self.net.stem(frame_BCHW)
        for i, block in enumerate(self.net.blocks):
            x = block(x)
            if into is not None:
                x = record_tokens(into, f"blocks.{i}", x, prefix=0)
        return self.net.norm(x)


def build(size: str, *, num_grades, num_frames, crop_size, in_channels, drop_path: float = 0.0) -> Mixer:
    """drop_path: stochastic depth, the same in every block."""
    import timm
    from timm.models.mlp_mixer import MlpMixer

    shape = dict(num_classes=num_grades, in_chans=in_channels, img_size=crop_size, drop_path_rate=drop_path)
    if size == "paper":
        net = timm.create_model("mixer_b16_224", **shape)
    else:
        net = MlpMixer(patch_size=8, num_blocks=5, embed_dim=96, **shape)
    return Mixer(net, num_grades=num_grades, in_channels=in_channels)


register(
    ModelEntry(
        name="mixer",
        title="MLP-Mixer",
        family="image",
        build=build,
        reference="I. Tolstikhin et al.: MLP-Mixer: An all-MLP Architecture for Vision, NeurIPS 2021",
        origin="timm mixer_b16_224",
        licence="code and weights Apache-2.0 (timm, google-research/vision_transformer)",
        mean=INCEPTION_MEAN_STD[0],
        std=INCEPTION_MEAN_STD[1],
        tiny="5 of 12 layers, width 96 of 768; patches of 8 px",
        paper_mse=(1.61, 0.10),
        parameters=59_115_317,
        published=PublishedFigures(
            59,
            None,
            "Tolstikhin et al. 2021, table 1, rounded",
            classes=1000,
            remark="rounded; without the classifier of 0.77 M ours rounds to 59 too",
        ),
        official={
            "mixer_b16_224": PretrainedWeights(
                "timm", "mixer_b16_224.goog_in21k_ft_in1k", "ImageNet-21k, fine-tuned on ImageNet-1k", "Apache-2.0"
            ),
        },
    )
)
