"""The non-local block: joint attention over space and time as convolutional networks first had it."""

from __future__ import annotations

from einops import rearrange
from torch import Tensor, nn

from baselines.attention import norm_ratio
from baselines.contract import Intermediates, TemporalAttention
from hybrid.model.temporal_attention import by_time

INSTANTIATIONS = ("dot_product", "softmax")


class NonLocalBlock(nn.Module):
    """x + norm(out(weights g(pooled x))), weights of every place and frame for every pooled place and frame.

    X. Wang, R. Girshick, A. Gupta, K. He: Non-local neural networks, CVPR 2018, equations 1-6, as PySlowFast sets it
    up (`Nonlocal` in its nonlocal_helper.py): half the channels inside, convolutions of 1x1x1, keys and values from a
    max pool of 1x2x2, the last BatchNorm scaled by zero at first. 'dot_product' divides products by the number of
    keys; 'softmax' takes the softmax of products over the square root of the width. There are no positions.
    """

    def __init__(self, channels: int, instantiation: str):
        super().__init__()
        if instantiation not in INSTANTIATIONS:
            raise ValueError(f"instantiation must be one of {', '.join(INSTANTIATIONS)}, not {instantiation!r}")
        self.instantiation = instantiation
        inside = channels // 2
        self.pool = nn.MaxPool3d((1, 2, 2))
        self.query, self.key, self.value = (nn.Conv3d(channels, inside, 1) for _ in range(3))
        self.out = nn.Conv3d(inside, channels, 1)
        self.norm = nn.BatchNorm3d(channels)
        for convolution in (self.query, self.key, self.value, self.out):
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(convolution.bias)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x_BCTHW: Tensor, times_T: Tensor, into: Intermediates | None = None, name: str = "") -> Tensor:
        """times_T: seconds of the frames.

        With `into`, what the softmax gives is kept under `name` as (B, places, 1, T, T), a key's weight summed over the
        places of its frame; products are no distribution and are not kept.
        """
        frames, height, _ = x_BCTHW.shape[2:]
        pooled = self.pool(x_BCTHW)
        query_BQD, key_BKD, value_BKD = (
            rearrange(part, "b d t h w -> b (h w t) d")
            for part in (self.query(x_BCTHW), self.key(pooled), self.value(pooled))
        )
        weights_BQK = self.weights(query_BQD, key_BKD)
        if into is not None and self.instantiation == "softmax":
            weights, over_time = by_time(weights_BQK[:, None], frames, frames, groups=1)
            weights_BQK = weights[:, 0]
            slow = {"slow": frames}
            into.attention[name] = TemporalAttention(over_time, times_T, times_T, slow, slow)
        mixed_BQD = weights_BQK.to(value_BKD.dtype) @ value_BKD
        update = self.norm(self.out(rearrange(mixed_BQD, "b (h w t) d -> b d t h w", h=height, t=frames)))
        if into is not None:
            into.update_ratio[f"slow.{name}"] = ratio_B = norm_ratio(update, x_BCTHW)
            if name in into.attention:
                into.attention[name].update_ratio["slow"] = ratio_B
        return x_BCTHW + update

    def weights(self, query_BQD: Tensor, key_BKD: Tensor) -> Tensor:
        product_BQK = query_BQD @ key_BKD.transpose(1, 2)
        if self.instantiation == "dot_product":
            return product_BQK / product_BQK.shape[2]
        return (product_BQK.float() * query_BQD.shape[2] ** -0.5).softmax(dim=2)
