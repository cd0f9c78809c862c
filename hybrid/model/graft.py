"""A hybrid that starts from two trained networks: SlowFast's weights, and layers of a TimeSformer between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from baselines.contract import Intermediates
from baselines.timesformer import TimeSformer
from hybrid.model.hybrid import Hybrid
from hybrid.model.ridge import Ridge
from hybrid.model.stitch import Stitch
from hybrid.model.timesformer_attention import TimeSformerAttention

STAGE_DEPTH = {"res3": 0.6, "res4": 0.8, "res5": 1.0}
"""share of the network that lies before the end of a stage, which is where in a TimeSformer a branch takes its layer"""
KEPT = 5
"""every fifth batch is kept from the fit, to say how good it is"""


class Joint:
    """One linear map into a layer of the TimeSformer: from a pathway's features after a stage, normalised.

    view: what of the features is looked at, such as their mean over space.
    """

    def __init__(
        self,
        stage: str,
        pathway: str,
        layer: int,
        norm: nn.LayerNorm,
        enter: nn.Linear,
        view: Callable[[Tensor], Tensor] = lambda x_BCTHW: x_BCTHW,
    ):
        self.name, self.stage, self.pathway, self.layer = f"{stage}.{pathway}", stage, pathway, layer
        self.norm, self.enter, self.view = norm, enter, view
        self.fit, self.kept = (Ridge(enter.in_features, enter.out_features) for _ in range(2))

    def add(self, x_BCTHW: Tensor, cls_B1D: Tensor, token_BNTD: Tensor, kept: bool) -> tuple[Tensor, Tensor]:
        """Features, and the tokens of the same frames, whose grid may be finer."""
        x_BCTHW = self.view(x_BCTHW)
        height, width = x_BCTHW.shape[-2:]
        grid = rearrange(token_BNTD, "b (h w) t d -> (b t) d h w", h=round(token_BNTD.shape[1] ** 0.5))
        z_BNTD = rearrange(adaptive_avg_pool2d(grid, (height, width)), "(b t) d h w -> b (h w) t d", b=len(token_BNTD))
        x_BNTC = self.norm(rearrange(x_BCTHW, "b c t h w -> b (h w) t c"))
        (self.kept if kept else self.fit).add(x_BNTC.flatten(0, 2), z_BNTD.flatten(0, 2))
        return x_BNTC, z_BNTD

    def finish(self, penalty: float) -> float:
        """Write the map into the layer; R^2 on what was kept from the fit."""
        weight, bias = self.fit.solve(penalty)
        self.enter.weight.copy_(weight)
        self.enter.bias.copy_(bias)
        return self.kept.explained(weight, bias)


class StitchJoint(Joint):
    """The map into stitched layers, and what no map can give: the class token, each place's and step's own mean."""

    def __init__(self, stitch: Stitch, layer: int):
        super().__init__("res4", "slow", layer, stitch.norm_slow, stitch.enter)
        self.name, self.stitch = "stitch", stitch
        self.clips, self.x_NTC, self.z_NTD, self.cls_1D = 0, 0.0, 0.0, 0.0

    def add(self, x_BCTHW: Tensor, cls_B1D: Tensor, token_BNTD: Tensor, kept: bool) -> tuple[Tensor, Tensor]:
        x_BNTC, z_BNTD = super().add(x_BCTHW, cls_B1D, token_BNTD, kept)
        if not kept:
            self.clips += len(x_BNTC)
            self.x_NTC, self.z_NTD = self.x_NTC + x_BNTC.sum(0), self.z_NTD + z_BNTD.sum(0)
            self.cls_1D = self.cls_1D + cls_B1D.sum(0)
        return x_BNTC, z_BNTD

    def finish(self, penalty: float) -> float:
        explained = super().finish(penalty)
        left_NTD = (self.z_NTD / self.clips) - self.enter(self.x_NTC / self.clips)
        self.stitch.place_1ND.copy_(left_NTD.mean(1)[None])
        self.stitch.step_TD.copy_(left_NTD.mean(0))
        self.stitch.cls_token.copy_(self.cls_1D[None] / self.clips)
        return explained


@torch.no_grad()
def graft(model: Hybrid, teacher: TimeSformer, batches: Iterable[Tensor], penalty: float = 1e-3) -> dict[str, float]:
    """Fill a hybrid's branches (init='timesformer') and stitched layers (stitch=2..4) from a trained TimeSformer.

    A layer's weights are copied. The linear map into it is fitted by ridge regression, from what SlowFast has at a
    place and frame to what the TimeSformer has there before that layer. The updates' scales stay zero, so that `model`
    is still the SlowFast it was. batches: normalised clips (B, C, T, H, W), five batches or more.

    Returns R^2 of each map on the batches kept from the fit, by 'res4.slow', 'res4.fast', ..., 'stitch'.
    """
    joints = list(take_layers(model, teacher))
    if not joints:
        raise ValueError("the hybrid has no part that takes a TimeSformer's weights; set init='timesformer' or stitch")
    modes = model.training, teacher.training
    model.eval(), teacher.eval()
    for number, clip_BCTHW in enumerate(batches):
        into = Intermediates()
        model.forward_features(clip_BCTHW, into)
        clocks = model.clocks(clip_BCTHW.shape[2], clip_BCTHW.device)
        before = tokens_before(teacher, clip_BCTHW)
        for joint in joints:
            cls, token = before[joint.layer]
            x_BCTHW = into.features[f"{joint.pathway}.{joint.stage}"].x_BCTHW
            joint.add(x_BCTHW, cls, token[:, :, clocks[joint.pathway].frame_T], kept=number % KEPT == KEPT - 1)
    model.train(modes[0]), teacher.train(modes[1])
    return {joint.name: joint.finish(penalty) for joint in joints}


def take_layers(model: Hybrid, teacher: TimeSformer) -> Iterator[Joint]:
    """Copy the layers, and name the maps into them."""
    depth = len(teacher.blocks)
    for stage, branch in model.temporal.items():
        if isinstance(branch, TimeSformerAttention):
            layer = round(STAGE_DEPTH[stage] * depth) - 1
            branch.take(teacher.blocks[layer])
            for pathway in branch.enter:
                branch.pathway[pathway].zero_()  # the map has an intercept
                yield Joint(stage, pathway, layer, branch.norm[pathway], branch.enter[pathway], branch.view)
    if model.stitch is not None:
        first = depth - len(model.stitch.blocks)
        if first < 0:
            raise ValueError(f"stitch={depth - first} asks for more layers than the TimeSformer's {depth}")
        model.stitch.blocks.load_state_dict(teacher.blocks[first:].state_dict())
        model.stitch.norm.load_state_dict(teacher.norm.state_dict())
        yield StitchJoint(model.stitch, first)


def tokens_before(teacher: TimeSformer, clip_BCTHW: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The class token (B, 1, D) and the patches (B, N, T, D) before each layer."""
    times = teacher.frame_times(clip_BCTHW.shape[2], clip_BCTHW.device)
    states = [teacher.embed(clip_BCTHW)]
    for block in teacher.blocks:
        states.append(block.run(*states[-1], times, None, ""))
    return states
