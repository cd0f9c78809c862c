"""The closest prior art: SlowFast with non-local blocks in the Slow pathway. A control of the ablations.

PySlowFast's configs/Kinetics/SLOWFAST_NLN_8x8_R50.yaml: in Slow, a block after the second and fourth of res3's four
residual blocks and after the second, fourth and sixth of res4's six; none in Fast. Its lateral kernels are 5 frames
long; here they stay SlowFast's 7, so that the non-local blocks are all that differs and SlowFast's weights fit.
"""

from __future__ import annotations

from torch import Tensor, nn

from baselines import slowfast
from baselines.contract import Features, Intermediates
from baselines.registry import ModelEntry, get_entry, register
from baselines.slowfast import SlowFast
from hybrid.model.nonlocal_block import NonLocalBlock
from hybrid.model.seeding import draw_seed, drawn_apart

AFTER = {
    "paper": {"res3": (1, 3), "res4": (1, 3, 5)},
    "tiny": {"res3": (0,), "res4": (0,)},
}
"""by stage, the residual blocks of Slow (from 0) that a non-local block follows; the tiny size has one a stage"""


class SlowFastNonLocal(SlowFast):
    """`clip (B, C, T, H, W) -> logits (B, K)`: a SlowFast whose Slow pathway attends over space and time at once.

    nonlocal_blocks: by `res4_3`, the stage and the residual block it follows. Fresh, they add nothing.
    """

    new_module_prefixes = ("nonlocal_blocks.",)

    def __init__(self, base: SlowFast, nonlocal_blocks: dict[str, NonLocalBlock]):
        super().__init__(
            base.net,
            num_grades=base.num_grades,
            in_channels=base.in_channels,
            alpha=base.alpha,
            slow_frames=base.slow_frames,
        )
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
            with drawn_apart(seed, f"{stage}_{number}"):
                channels = slow_blocks[number].branch2.conv_c.out_channels
                blocks[f"{stage}_{number}"] = NonLocalBlock(channels, instantiation)
    return SlowFastNonLocal(base, blocks)


register(
    ModelEntry(
        name="slowfast_nln",
        title="SlowFast, non-local",
        family="convolution",
        build=build,
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
