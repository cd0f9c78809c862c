"""Frame occlusion: which frames the answer depends on, and whether their order of importance beats chance."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.integrate import trapezoid
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.base import Curve, InputClips, Measure, MeasureResult, ModelUnderTest
from hybrid.analysis.measures.batching import ROUNDING, each_clip, expected_grades
from hybrid.analysis.perturbations import FILLS, without


@dataclass(frozen=True)
class FrameOcclusion(Measure):
    """|f(some frames taken away) - f(x)|, f the expected grade.

    effect: of one frame at a time, its mean over the frames. Frames are then ordered by their effect: deletion
    takes away the most effective ones first, insertion leaves them longest. All three areas are means of the change
    (trapezoids) over taking away 0, 1, ... T - 1 of T frames. Where the frames pull the answer to one side, an order
    that tells anything has insertion < random order < deletion; where to both, they cancel on the way. A random
    order read backwards is as random, so both compare with the same.
    """

    name = "occlusion"
    title = "Frame occlusion, deletion and insertion"
    source = "Petsiuk, Das and Saenko: RISE, BMVC 2018 (deletion, insertion); of frames, with the change for the score"

    fills: tuple[str, ...] = FILLS
    random_orders: int = 4

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return len(self.fills) * (1 + num_frames + (2 + self.random_orders) * (num_frames - 1))

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        clip_rows = [
            {fill: self.occlude(tested, clip_CTHW, fill, batch_size) for fill in self.fills}
            for clip_CTHW in each_clip(tested, clips, self.title)
        ]
        frames = clips.clip_NCTHW.shape[2]
        figures, curves = {}, {}
        for fill in self.fills:
            rows = {name: np.stack([row[fill][name] for row in clip_rows]) for name in clip_rows[0][fill]}
            effect_NT = rows.pop("effect")
            figures[f"effect of a frame, {fill} (grades)"] = effect_NT.mean(axis=1)
            second_T = np.arange(frames) / clips.frame_rate
            curves[f"effect, {fill}"] = Curve(second_T, effect_NT, "frame (s)", "change of the answer (grades)")
            share_T = np.arange(frames) / frames
            for name, change_NT in rows.items():
                figures[f"{name}, {fill} (grades)"] = trapezoid(change_NT, axis=1) / (frames - 1)
                curves[f"{name}, {fill}"] = Curve(
                    share_T, change_NT, "share of frames taken away", "change of the answer (grades)"
                )
        return MeasureResult(figures=figures, curves=curves)

    def occlude(self, tested: ModelUnderTest, clip_CTHW: Tensor, fill: str, batch_size: int) -> dict[str, np.ndarray]:
        """'effect' of each frame, (T,); and the change with k frames away, (T,) over k, in three orders."""
        frames = clip_CTHW.shape[1]

        def answers(removed_VT: np.ndarray) -> np.ndarray:
            masks = torch.from_numpy(removed_VT).to(clip_CTHW.device)
            return expected_grades(tested, (without(clip_CTHW, removed_T, fill) for removed_T in masks), batch_size)

        none, each = np.zeros((1, frames), bool), np.eye(frames, dtype=bool)
        answer_V = answers(np.concatenate([none, each]))
        effect_T = np.abs(answer_V[1:] - answer_V[0])
        effect_T[effect_T < ROUNDING] = 0

        most_first = np.argsort(-effect_T, kind="stable")
        rng = np.random.default_rng(0)
        orders = [most_first, most_first[::-1], *(rng.permutation(frames) for _ in range(self.random_orders))]
        removed = np.concatenate([prefixes(order) for order in orders])
        change_OT = np.abs(answers(removed) - answer_V[0]).reshape(len(orders), frames - 1)
        change_OT = np.pad(change_OT, ((0, 0), (1, 0)))  # nothing away, nothing changed
        deletion, insertion, *random = change_OT
        return {
            "effect": effect_T,
            "deletion": deletion,
            "insertion": insertion,
            "random order": np.mean(random, axis=0),
        }


def prefixes(order_T: np.ndarray) -> np.ndarray:
    """(T - 1, T) bool: the first 1, 2, ... T - 1 frames of an order."""
    place_T = np.empty_like(order_T)
    place_T[order_T] = np.arange(len(order_T))
    return place_T < np.arange(1, len(order_T))[:, None]
