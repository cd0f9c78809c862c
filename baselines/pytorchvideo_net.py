"""What pytorchvideo's single-pathway networks share: blocks in a row, the last of them the head."""

import functools
import re

from torch import Tensor, nn

from baselines.contract import ClipModel, Features, Intermediates, mean_over_space
from baselines.layers import fresh_classifier


class PyTorchVideoNet(ClipModel):
    """A pytorchvideo `Net` as a model of clips, under its own parameter names inside `net`.

    The head pools whatever is left of the clip, where pytorchvideo's own pools a fixed 4 x 7 x 7 or so;
    at the network's native input that is the same.
    """

    def __init__(self, net: nn.Module, *, num_grades: int, in_channels: int, dropout: float):
        super().__init__()
        self.net = net
        self.num_grades = num_grades
        self.in_channels = in_channels
        self.head.dropout = nn.Dropout(dropout)  # of a rate of 0 pytorchvideo makes None
        self.num_features = self.head.proj.in_features
        self.classifier = f"net.blocks.{len(net.blocks) - 1}.proj"
        stem = net.blocks[0].conv
        self.first_convs = ("net.blocks.0.conv" if isinstance(stem, nn.Conv3d) else "net.blocks.0.conv.conv_t",)

    @property
    def head(self) -> nn.Module:
        """pytorchvideo's head, with `pool`, `dropout` and `proj`."""
        return self.net.blocks[-1]

    def forward_features(self, clip_BCTHW: Tensor, into: Intermediates | None = None) -> Tensor:
        """The last stage, (B, D, T', H', W')."""
        x = clip_BCTHW
        times = self.frame_times(clip_BCTHW.shape[2], clip_BCTHW.device)
        for i, block in enumerate(self.net.blocks[:-1]):
            x = block(x)
            if into is not None:
                if isinstance(block, nn.MaxPool3d):  # a step is between the frames it was pooled from
                    times = times.unflatten(0, (x.shape[2], -1)).mean(dim=1)
                times = times[:: len(times) // x.shape[2]]  # a strided convolution is centred on its first frame
                into.features[f"blocks.{i}"] = Features(x, times)
        return x

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        pooled_BD = self.head.dropout(self.head.pool(features).flatten(1))
        return pooled_BD if pre_logits else self.head.proj(pooled_BD)

    def time_steps(self, features: Tensor, num_frames: int) -> list[Tensor]:
        return [mean_over_space(features)]

    def reset_classifier(self, num_grades: int) -> None:
        self.head.proj = fresh_classifier(self.head.proj, num_grades)
        self.num_grades = num_grades

    def group_matcher(self, coarse: bool = False):
        return functools.partial(block_depth, coarse=coarse)


def block_depth(name: str, coarse: bool = False) -> tuple[int, int]:
    """(stage, block in it) of a parameter of a pytorchvideo network; a stage's lateral connection comes last."""
    stage = int(re.search(r"\bblocks\.(\d+)", name)[1])
    block = re.search(r"res_blocks\.(\d+)", name)
    return stage, 0 if coarse else int(block[1]) if block else 999
