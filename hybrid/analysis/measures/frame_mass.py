"""How relevance is shared out among the frames, by any attribution."""

import numpy as np
import torch
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.base import Attribution, AttributionMeasure, Curve, InputClips, MeasureResult, ModelUnderTest
from hybrid.analysis.measures.batching import gathered, in_batches


class FrameMass(AttributionMeasure):
    """m_t = sum over pixels of |relevance|, its share p_t of the clip's whole, and 1 / sum p_t^2 effective frames.

    From 1, all on one frame, to T, the same on all. NaN for a clip without any relevance.
    """

    def __init__(self, attribution: Attribution):
        super().__init__(attribution)
        self.name = f"frame_mass_{attribution.name}"
        self.title = f"Relevance by frame, {attribution.title}"
        self.source = attribution.source

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        batches = in_batches(tested, clips, batch_size, self.name)
        return self.result(gathered(self.of_batch(tested, clip_BCTHW) for clip_BCTHW in batches), clips)

    def of_batch(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> dict[str, Tensor]:
        """What `result` is made of, batch by batch, by name; 'mass', (B, T), at the least."""
        return {"mass": frame_mass(self.attribution.relevance(tested, clip_BCTHW))}

    def result(self, of_N: dict[str, np.ndarray], clips: InputClips) -> MeasureResult:
        share_NT = ratio(of_N["mass"], of_N["mass"].sum(axis=1, keepdims=True))
        return MeasureResult(
            figures={"effective frames (frames)": 1 / (share_NT**2).sum(axis=1)},
            curves={"share": over_frames(share_NT, clips, "share of relevance")},
        )


class IntegratedFrameMass(FrameMass):
    """For integrated gradients also how complete they are.

    completeness gap: |sum of relevance - change of the answer| over the sum of |relevance|: what the sum over few steps
    misses, as a share of what is shared out. completeness gap of change: the same over |change|, which is near zero
    where much relevance cancels.
    """

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return super().passes(model, num_frames) + 2

    def of_batch(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> dict[str, Tensor]:
        relevance_BTHW = self.attribution.relevance(tested, clip_BCTHW)
        with torch.no_grad():
            change_B = self.attribution.change(tested, clip_BCTHW)
        return {
            "mass": frame_mass(relevance_BTHW),
            "change": change_B,
            "sum": relevance_BTHW.double().sum(dim=(1, 2, 3)),
        }

    def result(self, of_N: dict[str, np.ndarray], clips: InputClips) -> MeasureResult:
        result = super().result(of_N, clips)
        gap_N = np.abs(of_N["sum"] - of_N["change"])
        result.figures["completeness gap"] = ratio(gap_N, of_N["mass"].sum(axis=1))
        result.figures["completeness gap of change"] = ratio(gap_N, np.abs(of_N["change"]))
        return result


class PathwayFrameMass(FrameMass):
    """For Grad-CAM also the two pathways of SlowFast and the hybrid apart.

    Each pathway's curve is its share of the whole, so the two sum to the curve of both; `share of slow` is Slow's part.
    """

    def of_batch(self, tested: ModelUnderTest, clip_BCTHW: Tensor) -> dict[str, Tensor]:
        apart = self.attribution.by_pathway(tested, clip_BCTHW)
        masses = {name: frame_mass(relevance_BTHW) for name, relevance_BTHW in apart.items()}
        return masses | {"mass": sum(masses.values())}

    def result(self, of_N: dict[str, np.ndarray], clips: InputClips) -> MeasureResult:
        result = super().result(of_N, clips)
        if "slow" not in of_N:
            return result
        whole_N1 = of_N["mass"].sum(axis=1, keepdims=True)
        for name in ("slow", "fast"):
            share_NT = ratio(of_N[name], whole_N1)
            result.curves[f"share of {name}"] = over_frames(share_NT, clips, f"share of relevance in {name}")
        result.figures["share of slow"] = result.curves["share of slow"].y_NX.sum(axis=1)
        return result


def frame_mass(relevance_BTHW: Tensor) -> Tensor:
    """(B, T)"""
    return relevance_BTHW.abs().double().sum(dim=(2, 3))


def ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """NaN where the lower is zero."""
    return over / np.where(under == 0, np.nan, under)


def over_frames(y_NT: np.ndarray, clips: InputClips, label: str) -> Curve:
    return Curve(np.arange(y_NT.shape[1]) / clips.frame_rate, y_NT, "time (s)", label)
