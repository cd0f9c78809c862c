"""Grad-CAM: the last map's channels, weighted by how much the answer depends on each; and the way from a model's own
grid to the clip's pixels, so that relevance of all models lies on one scale."""

import torch
import torch.nn.functional as F
from torch import Tensor

from baselines import ClipModel
from baselines.contract import Features, Intermediates
from hybrid.analysis.base import Attribution, ModelUnderTest


def top_grade(logits_BK: Tensor) -> Tensor:
    """(B,) log-probability of the grade a model holds most likely: the answer of methods made for classifiers.

    Of the probability and not the logit: what all logits share is no part of the answer, and no loss has trained it.
    """
    return logits_BK.float().log_softmax(dim=-1).amax(dim=-1)


def look_inside(tested: ModelUnderTest, clip_BCTHW: Tensor) -> tuple[Tensor, Intermediates]:
    """Logits and intermediates that have gradients, although the model's parameters are frozen."""
    return tested.model.forward_intermediates(clip_BCTHW.detach().requires_grad_())


class GradCAM(Attribution):
    """ReLU(sum over c of a_c A_c), a_c the mean over the map of dy/dA_c, y the log-probability of the top grade.

    A is the last stage whose places reach the logits: the last of all, and the last but one where the answer is read
    off a class token. Of two pathways each has a map of its own, and the maps are added. Nothing is scaled to [0, 1],
    so frames, pathways and clips can be compared.
    """

    name = "grad_cam"
    title = "Grad-CAM"
    passes_a_clip = 3
    source = "R. R. Selvaraju et al.: Grad-CAM, ICCV 2017, equations 1 and 2; over frames as over pixels"

    def relevance(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> Tensor:
        return torch.stack(list(self.by_pathway(tested, clip_BCTHW).values())).sum(dim=0)

    @torch.enable_grad()
    def by_pathway(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> dict[str, Tensor]:
        """Relevance (B, T, H, W) of each pathway by name: 'slow' and 'fast', or 'all' where there is but one."""
        logits_BK, inside = look_inside(tested, clip_BCTHW)
        stages = last_stages(tested.model, inside)
        gradients = torch.autograd.grad(top_grade(logits_BK).sum(), [stage.x_BCTHW for stage in stages.values()])
        return {
            pathway: on_clip(cam(stage.x_BCTHW, gradient), stage.times, tested.model, clip_BCTHW)
            for (pathway, stage), gradient in zip(stages.items(), gradients, strict=True)
        }


def last_stages(model: ClipModel, inside: Intermediates) -> dict[str, Features]:
    """The last stage of each pathway whose places reach the logits."""
    of_pathway = {stage.pathway: stage for stage in inside.features.values() if stage.pathway}
    return of_pathway or {"all": list(inside.features.values())[-2 if model.class_token else -1]}


def cam(x_BCSHW: Tensor, gradient_BCSHW: Tensor) -> Tensor:
    """(B, S, H, W): the map of one stage from its activation and the answer's gradient."""
    weight = gradient_BCSHW.mean(dim=(2, 3, 4), keepdim=True)
    return (weight * x_BCSHW.detach()).sum(dim=1).relu()


def on_clip(map_BSHW: Tensor, times_S: Tensor, model: ClipModel, clip_BCTHW: Tensor) -> Tensor:
    """(B, T, H, W): a map of S steps in time on a coarse grid, spread over the clip's frames and pixels.

    Sums are kept: a cell's relevance is shared out among the pixels that stand for it, and a step's among the frames
    that are nearer to its time than to any other's. So maps of different grids can be added.
    """
    frames, side = clip_BCTHW.shape[2], clip_BCTHW.shape[-1]
    share_TS = frame_shares(times_S, model, frames).to(map_BSHW)
    fine_BSHW = F.interpolate(map_BSHW, size=(side, side), mode="bilinear", align_corners=False)
    fine_BSHW = fine_BSHW * (map_BSHW.shape[-2] * map_BSHW.shape[-1] / side**2)
    return torch.einsum("bshw,ts->bthw", fine_BSHW, share_TS)


def frame_shares(times_S: Tensor, model: ClipModel, num_frames: int) -> Tensor:
    """(T, S): the share of each step's relevance that each frame gets; columns sum to 1."""
    seen = len(model.used_frames(num_frames))
    times_T = model.frame_times(num_frames, times_S.device)[:seen]
    apart_TS = (times_T[:, None] - times_S[None, :]).abs()
    nearest_TS = (apart_TS <= apart_TS.min(dim=1, keepdim=True).values + 1e-6).float()
    share_TS = nearest_TS / nearest_TS.sum(dim=1, keepdim=True)  # a frame between two steps is half of each
    share_TS = share_TS / share_TS.sum(dim=0, keepdim=True)
    return F.pad(share_TS, (0, 0, 0, num_frames - seen))
