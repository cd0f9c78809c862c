"""The closest prior art: SlowFast with non-local blocks in the Slow pathway. A control of the ablations.

PySlowFast's configs/Kinetics/SLOWFAST_NLN_8x8_R50.yaml: in Slow, a block after the second and fourth of res3's four
residual blocks and after the second, fourth and sixth of res4's six; none in Fast. Its lateral kernels are 5 frames
long; here they stay SlowFast's 7, so that the non-local blocks are all that differs and SlowFast's weights fit.
"""

from __future__ import annotations

from einops import rearrange
from torch import Tensor, nn

from baselines import slowfast
from baselines.contract import Features, Intermediates, TemporalAttention
from baselines.layers import norm_ratio
from baselines.registry import ModelEntry, get_entry, register
from baselines.slowfast import SlowFast
from hybrid.model.attention import by_time
from hybrid.model.init import draw_seed, isolated_rng

AFTER = {
    "paper": {"res3": (1, 3), "res4": (1, 3, 5)},
    "tiny": {"res3": (0,), "res4": (0,)},
}
"""by stage, the residual blocks of Slow (from 0) that a non-local block follows; the tiny size has one a stage"""
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


class SlowFastNonLocal(SlowFast):
    """`clip (B, C, T, H, W) -> logits (B, K)`: a SlowFast whose Slow pathway attends over space and time at once.

    nonlocal_blocks: by `res4_3`, the stage and the residual block it follows. Fresh, they add nothing.
    """

    new_module_prefixes = ("nonlocal_blocks.",)

    def __init__(self, base: SlowFast, nonlocal_blocks: dict[str, NonLocalBlock]):
        super().__init__(**base.arguments())
        self.nonlocal_blocks = nn.ModuleDict(nonlocal_blocks)

    def run_stage(
        self, name: str, stage: nn.Module, slow: Tensor, fast: Tensor, into: Intermediates | None
    ) -> tuple[Tensor, Tensor]:
        if not any(key.startswith(f"{name}_") for key in self.nonlocal_blocks):
            return super().run_stage(name, stage, slow, fast, into)
        slow_blocks, fast_blocks = stage.multipathway_blocks
        slow_times, _ = self.pathway_times(fast.shape[2], fast.device)
        for number, block in enumerate(slow_blocks.res_blocks):
            slow = block(slow)
            if f"{name}_{number}" in self.nonlocal_blocks:
                slow = self.nonlocal_blocks[f"{name}_{number}"](slow, slow_times, into, f"{name}.{number}")
                if into is not None:
                    into.features[f"slow.{name}.{number}"] = Features(slow, slow_times, "slow")
        return slow, fast_blocks(fast)


def build(size: str, *, instantiation: str = "dot_product", **options) -> SlowFastNonLocal:
    """instantiation: 'dot_product', PySlowFast's choice, or 'softmax', whose weights can be looked at.
    options: those of `baselines.slowfast.build`."""
    base = slowfast.build(size, **options)
    seed = draw_seed()
    blocks = {}
    for stage, numbers in AFTER[size].items():
        slow_blocks = base.stages[slowfast.STAGE_NAMES.index(stage)].multipathway_blocks[0].res_blocks
        for number in numbers:
            with isolated_rng(seed, f"{stage}_{number}"):
                channels = slow_blocks[number].branch2.conv_c.out_channels
                blocks[f"{stage}_{number}"] = NonLocalBlock(channels, instantiation)
    return SlowFastNonLocal(base, blocks)


register(
    ModelEntry(
        name="slowfast_nln",
        extends="slowfast",
        title="SlowFast, non-local",
        family="convolution",
        build=build,
        hands_on_to=(slowfast.build,),
        reference="X. Wang, R. Girshick, A. Gupta, K. He: Non-local Neural Networks, CVPR 2018, in SlowFast as "
        "PySlowFast's SLOWFAST_NLN_8x8_R50",
        origin="hybrid.model, on pytorchvideo's SlowFast",
        licence="code Apache-2.0; official SlowFast weights Apache-2.0 (pytorchvideo)",
        mean=get_entry("slowfast").mean,
        std=get_entry("slowfast").std,
        tiny="SlowFast's tiny size, one non-local block after res3 and one after res4",
        parameters=41_014_477,
        official=get_entry("slowfast").official,
        control=True,
    )
)
