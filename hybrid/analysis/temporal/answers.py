"""How measures go through clips, and a model's answers to many versions of one, in batches whatever their number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from hybrid.analysis.subject import Clips, Subject
from hybrid.evaluation.metrics import expected_grade

ROUNDING = 3e-6
"""grades: a smaller difference of answers is float32's rounding, about ten times what was seen of it, and no effect"""


def each_clip(subject: Subject, clips: Clips, title: str) -> Iterator[Tensor]:
    """Every clip_CTHW on the model's device, under a progress bar."""
    for clip_CTHW in tqdm(clips.clip_NCTHW, desc=f"{subject.label}: {title}", unit="clip", disable=None, leave=False):
        yield clip_CTHW.to(subject.device)


def in_batches(subject: Subject, clips: Clips, batch_size: int, title: str) -> Iterator[Tensor]:
    """All clips as clip_BCTHW on the model's device, under a progress bar.

    For measures that look inside a model: what is recorded there, attention above all, takes over a gigabyte a clip of
    the largest models at paper size (ViViT), so that those want small batches.
    """
    batches = clips.clip_NCTHW.split(batch_size)
    for clip_BCTHW in tqdm(batches, desc=f"{subject.label}: {title}", unit="batch", disable=None, leave=False):
        yield clip_BCTHW.to(subject.device)


def stacked(versions: Iterable[Tensor], batch_size: int) -> Iterator[Tensor]:
    """(B, C, T, H, W) of clips (C, T, H, W) as they come, so that only a batch exists at a time."""
    versions = iter(versions)
    while batch := list(islice(versions, batch_size)):
        yield torch.stack(batch)


@torch.no_grad()
def distributions(subject: Subject, versions: Iterable[Tensor], batch_size: int) -> np.ndarray:
    """(V, K) float64: the answer to each of V clips (C, T, H, W)."""
    answers = [subject.distribution(batch).double().cpu() for batch in stacked(versions, batch_size)]
    return torch.cat(answers).numpy()


def expected_grades(subject: Subject, versions: Iterable[Tensor], batch_size: int) -> np.ndarray:
    """(V,) expected grade of each version, as `distributions`."""
    return expected_grade(distributions(subject, versions, batch_size))
