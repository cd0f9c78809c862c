"""The last layers of a TimeSformer, stitched to SlowFast's fourth stage."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.contract import Intermediates
from baselines.positions import resize_space
from baselines.timesformer import Block
from hybrid.model.linear import linear
from hybrid.model.positions import stretched


class Stitch(nn.Module):
    """Slow's res4 as the tokens of a TimeSformer's last layers, whose class token is added to the pooled features.

    ::

        slow_BCTHW -- LayerNorm, Linear, + place + time --> tokens --.
                                                                      layers of divided attention
                                            class token -------------'
                                                                     '-- LayerNorm, Linear (zero at first) --> head

    At 224 px res4 is a grid of 14x14, which is TimeSformer's, and alpha=2 gives the 8 frames it was trained on. The
    last projection is the only zero factor. `hybrid.model.graft` fills in a TimeSformer's weights. Joining layers of
    two trained networks by a linear map: Lenc and Vedaldi, Understanding image representations by measuring
    their equivariance and equivalence, 2015, section 5.
    """

    def __init__(
        self, channels: int, out_features: int, *, layers: int, width: int, heads: int, num_steps: int, side: int
    ):
        """num_steps, side: of Slow's res4, usually; others are interpolated."""
        super().__init__()
        self.norm_slow = nn.LayerNorm(channels)
        self.enter = linear(channels, width)
        self.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.place_1ND = nn.Parameter(0.02 * torch.randn(1, side**2, width))
        self.step_TD = nn.Parameter(0.02 * torch.randn(num_steps, width))
        self.blocks = nn.ModuleList(Block(width, heads, drop_path=0.0) for _ in range(layers))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        self.leave = linear(width, out_features, std=0.0)

    def forward(self, slow_BCTHW: Tensor, times_T: Tensor, into: Intermediates | None = None) -> Tensor:
        """What is added to the pooled features, (B, out_features). times_T: seconds of Slow's frames."""
        x_BNTD = self.enter(self.normalised(slow_BCTHW))
        x_BNTD = x_BNTD + resize_space(self.place_1ND, slow_BCTHW.shape[-1]).unsqueeze(2)
        x_BNTD = x_BNTD + stretched(self.step_TD, len(times_T))
        cls = self.cls_token.expand(len(x_BNTD), -1, -1)
        for number, block in enumerate(self.blocks):
            cls, x_BNTD = block.run(cls, x_BNTD, times_T, into, f"stitch.{number}")
        return self.leave(self.norm(cls)[:, 0])

    def normalised(self, slow_BCTHW: Tensor) -> Tensor:
        """(B, places, T, C): what the linear map is given."""
        return self.norm_slow(slow_BCTHW.flatten(3).permute(0, 3, 2, 1))

    def resized(self, name: str, table: Tensor) -> Tensor:
        """A checkpoint's table at the size of the own."""
        if name == "step_TD":
            return stretched(table, len(self.step_TD))
        return resize_space(table, round(self.place_1ND.shape[1] ** 0.5))
