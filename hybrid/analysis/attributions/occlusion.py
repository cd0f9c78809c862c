"""Occlusion: how the answer changes when a box of space and time is blurred away."""

import torch.nn.functional as F
from captum.attr import Occlusion as CaptumOcclusion
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.base import Attribution, ModelUnderTest
from hybrid.analysis.perturbations import blurred

SHORTEST = 8
"""frames a model takes at the least"""
AT_ONCE = 16
"""clips a forward pass, where the caller's batch is no larger"""


class Occlusion(Attribution):
    """Expected grade of the clip minus that of the clip with one box taken from its blurred copy; captum's.

    Boxes do not overlap, so every pixel has the number of its box. Image models are occluded in their frame alone.
    boxes: along time, height and width; of 16 frames of 64 px each is 4 frames of 8 x 8 px.
    """

    name = "occlusion"
    title = "Occlusion"
    source = "M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks, ECCV 2014"
    signed = True

    def __init__(self, boxes: tuple[int, int, int] = (4, 8, 8)):
        self.boxes = boxes

    def passes(self, model: ClipModel, num_frames: int) -> float:
        along_time, high, wide = self.boxes
        return 1 + (along_time if len(model.used_frames(num_frames)) > 1 else 1) * high * wide

    def relevance(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> Tensor:
        batch, channels, frames, height, width = clip_BCTHW.shape
        seen = len(tested.model.used_frames(frames))
        along_time, high, wide = self.boxes
        box = (channels, max(1, seen // along_time), height // high, width // wide)

        def expected_grade(seen_BCTHW: Tensor) -> Tensor:
            if seen == 1:  # an image model still wants a clip
                seen_BCTHW = seen_BCTHW.expand(-1, -1, SHORTEST, -1, -1)
            return tested.expected_grade(seen_BCTHW)

        relevance_BCTHW = CaptumOcclusion(expected_grade).attribute(
            clip_BCTHW[:, :, :seen],
            sliding_window_shapes=box,
            strides=box,
            baselines=blurred(clip_BCTHW)[:, :, :seen],
            perturbations_per_eval=max(1, AT_ONCE // batch),
        )
        return F.pad(relevance_BCTHW[:, 0], (0, 0, 0, 0, 0, frames - seen))
