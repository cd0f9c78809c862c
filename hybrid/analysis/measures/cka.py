"""Similarity of layers (CKA), over clips and over the moments of a clip; within one model or between two."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from hybrid.analysis.base import InputClips, Matrix, Measure, MeasureResult, ModelUnderTest
from hybrid.analysis.measures.batching import in_batches, pooled

BLOCK = 256
"""clips at most whose Gram matrix is held at a time"""

Grams = tuple[np.ndarray, np.ndarray]
"""Gram matrices of the same examples, (L, n, n) and (M, n, n), of the layers of one model and of another"""


class LayerSimilarity(Measure):
    """CKA = mean HSIC(K, L) / sqrt(mean HSIC(K, K) mean HSIC(L, L)), K and L the Gram matrices of two layers.

    HSIC is the unbiased estimate. Features are averaged over space and keep their steps in time. 'clips': an example
    is a clip, its features those of all its steps; the mean is over blocks of up to 256 clips. 'time': an example is
    one moment of a clip, features interpolated to the clip's frames, and the mean is over clips: do layers tell the
    same moments apart? 1: alike up to rotation and scale; about 0: unrelated. NaN where there are fewer than 4
    examples or a layer does not vary, as image models do not in time. Between layers of unlike rates (Slow's 4 steps
    and Fast's 16) 'time' is low for that reason alone.
    all pairs: mean over the pairs of different layers that have one. The layers of two models are set against each
    other, too.
    """

    name = "cka"
    title = "Similarity of layers (CKA)"
    source = (
        "Nguyen, Raghu and Kornblith: Do wide and deep networks learn the same things?, ICLR 2021, with "
        "HSIC_1 of Song et al., JMLR 2012, equation 5; layers as in Raghu et al., arXiv 2108.08810"
    )

    def least(self, name: str) -> float:
        return -math.inf  # of the unbiased estimate

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        layers = Layers.of(tested, clips, batch_size)
        return similarity(layers, layers)


def compare(
    one: tuple[ModelUnderTest, InputClips], other: tuple[ModelUnderTest, InputClips], batch_size: int = 16
) -> MeasureResult:
    """As `LayerSimilarity`: rows are layers of one model, columns of the other. Both have the same clips, in order."""
    if one[1].names != other[1].names:
        raise ValueError("the two models must be asked about the same clips in the same order")
    return similarity(*(Layers.of(tested, clips, batch_size) for tested, clips in (one, other)))


@dataclass(frozen=True, eq=False)
class Layers:
    """feature_NSD: by layer, D features at S steps; frame_S: where those are among the `num_frames` of the clips."""

    feature_NSD: dict[str, np.ndarray]
    frame_S: dict[str, np.ndarray]
    num_frames: int

    @classmethod
    @torch.no_grad()
    def of(cls, tested: ModelUnderTest, clips: InputClips, batch_size: int) -> Self:
        parts: dict[str, list[np.ndarray]] = {}
        frame_S = {}
        for clip_BCTHW in in_batches(tested, clips, batch_size, LayerSimilarity.title):
            _, inside = tested.model.forward_intermediates(clip_BCTHW)
            for layer, steps in pooled(tested.model, inside).items():
                parts.setdefault(layer, []).append(steps.h_BDS.mT.double().cpu().numpy())
                frame_S[layer] = steps.frame_S.double().cpu().numpy()
        return cls({layer: np.concatenate(part) for layer, part in parts.items()}, frame_S, clips.clip_NCTHW.shape[2])

    def over_clips(self) -> Iterator[np.ndarray]:
        """(L, n, n), n clips each."""
        every = [feature_NSD.reshape(len(feature_NSD), -1) for feature_NSD in self.feature_NSD.values()]
        for block in np.array_split(np.arange(len(every[0])), math.ceil(len(every[0]) / BLOCK)):
            yield np.stack([gram(feature_NX[block]) for feature_NX in every])

    def over_time(self) -> Iterator[np.ndarray]:
        """(L, T, T) a clip."""
        every = [self.at_frames(layer) for layer in self.feature_NSD]
        for n in range(len(every[0])):
            yield np.stack([gram(feature_NTD[n]) for feature_NTD in every])

    def at_frames(self, layer: str) -> np.ndarray:
        """(N, T, D): features interpolated linearly to the clip's frames, held beyond the first and last step."""
        frame_S, feature_NSD = self.frame_S[layer], self.feature_NSD[layer]
        weight_ST = np.stack([np.interp(np.arange(self.num_frames), frame_S, one_S) for one_S in np.eye(len(frame_S))])
        return weight_ST.T @ feature_NSD


def similarity(one: Layers, other: Layers) -> MeasureResult:
    rows, columns = tuple(one.feature_NSD), tuple(other.feature_NSD)
    result = MeasureResult()
    for name, over in (("clips", Layers.over_clips), ("time", Layers.over_time)):
        value_RC = cka(zip(over(one), over(other), strict=True))
        result.matrices[name] = Matrix(value_RC, rows, columns)
        if one is other:
            value_RC = value_RC[~np.eye(len(rows), dtype=bool)]
        existing = value_RC[~np.isnan(value_RC)]
        result.overall[f"all pairs, {name}"] = float(existing.mean()) if len(existing) else float("nan")
    return result


def gram(feature_nX: np.ndarray) -> np.ndarray:
    """(n, n), of features without their mean: HSIC is the same without and rounds better."""
    centred_nX = feature_nX - feature_nX.mean(axis=0)
    return centred_nX @ centred_nX.T


def cka(blocks: Iterable[Grams]) -> np.ndarray:
    """(L, M), of Gram matrices in one block or more."""
    parts = [
        (hsic(K_Lnn, M_Mnn), hsic(K_Lnn, K_Lnn).diagonal(), hsic(M_Mnn, M_Mnn).diagonal()) for K_Lnn, M_Mnn in blocks
    ]
    across_LM, own_L, own_M = (np.sum(part, axis=0) for part in zip(*parts, strict=True))
    own_L, own_M = (np.where(own > 0, own, np.nan) for own in (own_L, own_M))
    return across_LM / np.sqrt(np.outer(own_L, own_M))


def hsic(K_Lnn: np.ndarray, M_Mnn: np.ndarray) -> np.ndarray:
    """(L, M) unbiased estimates; NaN for less than 4 examples."""
    n = K_Lnn.shape[-1]
    if n < 4:
        return np.full((len(K_Lnn), len(M_Mnn)), np.nan)
    K_Lnn, M_Mnn = (gram_Lnn * (1 - np.eye(n)) for gram_Lnn in (K_Lnn, M_Mnn))
    K_Ln, M_Mn = K_Lnn.sum(-1), M_Mnn.sum(-1)
    trace_LM = np.einsum("lij,mij->lm", K_Lnn, M_Mnn, optimize=True)
    sums_LM = np.outer(K_Ln.sum(-1), M_Mn.sum(-1)) / ((n - 1) * (n - 2))
    return (trace_LM + sums_LM - 2 / (n - 2) * K_Ln @ M_Mn.T) / (n * (n - 3))
