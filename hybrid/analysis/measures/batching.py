"""How measures go through clips in batches, and the features of a model that several measures read."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from baselines import ClipModel
from baselines.contract import Intermediates
from hybrid.analysis.base import Attribution, InputClips, ModelUnderTest
from hybrid.evaluation.metrics import expected_grade

ROUNDING = 3e-6
"""grades: a smaller difference of answers is float32's rounding, about ten times what was seen of it, and no effect"""


def each_clip(tested: ModelUnderTest, clips: InputClips, title: str) -> Iterator[Tensor]:
    """Every clip_CTHW on the model's device, under a progress bar."""
    for clip_CTHW in tqdm(clips.clip_NCTHW, desc=f"{tested.label}: {title}", unit="clip", disable=None, leave=False):
        yield clip_CTHW.to(tested.device)


def in_batches(tested: ModelUnderTest, clips: InputClips, batch_size: int, title: str) -> Iterator[Tensor]:
    """All clips as clip_BCTHW on the model's device, under a progress bar.

    Measures that look inside a model need small batches: what is recorded there, attention above all, takes over a
    gigabyte a clip in the largest models at paper size (ViViT). Relevance of all clips at once would not fit either.
    """
    batches = clips.clip_NCTHW.split(batch_size)
    for clip_BCTHW in tqdm(batches, desc=f"{tested.label}: {title}", unit="batch", disable=None, leave=False):
        yield clip_BCTHW.to(tested.device)


def stacked(versions: Iterable[Tensor], batch_size: int) -> Iterator[Tensor]:
    """(B, C, T, H, W) of clips (C, T, H, W) as they come, so that only a batch exists at a time."""
    versions = iter(versions)
    while batch := list(islice(versions, batch_size)):
        yield torch.stack(batch)


def gathered(batches: Iterable[dict[Hashable, Tensor]]) -> dict[Hashable, np.ndarray]:
    """Of all batches, by name, what each gave by that name, (B, ...): float64."""
    parts = [{name: x.cpu().double() for name, x in batch.items()} for batch in batches]
    return {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}


@torch.no_grad()
def distributions(tested: ModelUnderTest, versions: Iterable[Tensor], batch_size: int) -> np.ndarray:
    """(V, K) float64: the answer to each of V clips (C, T, H, W)."""
    return gathered({"": tested.distribution(batch)} for batch in stacked(versions, batch_size))[""]


def expected_grades(tested: ModelUnderTest, versions: Iterable[Tensor], batch_size: int) -> np.ndarray:
    """(V,) expected grade of each version, as `distributions`."""
    return expected_grade(distributions(tested, versions, batch_size))


def magnitudes(
    attribution: Attribution, tested: ModelUnderTest, clips: InputClips, batch_size: int
) -> Iterator[Tensor]:
    """(B, T, H, W) on the CPU, without signs: what speaks for a worse grade counts as what speaks for a better one."""
    for clip_BCTHW in in_batches(tested, clips, batch_size, attribution.title):
        yield attribution.relevance(tested, clip_BCTHW).abs().float().cpu()


@dataclass(frozen=True)
class Steps:
    """Features of one stage at S steps in time.

    h_BDS: means over space. frame_S: where each step is, in frames from the first. pathway: '' in models with but one.
    """

    h_BDS: Tensor
    frame_S: Tensor
    pathway: str = ""


def pooled(model: ClipModel, inside: Intermediates) -> dict[str, Steps]:
    """The features of every stage, averaged over space alone."""
    return {
        stage: Steps(features.x_BCTHW.float().mean(dim=(3, 4)), features.times * model.frame_rate, features.pathway)
        for stage, features in inside.features.items()
    }
