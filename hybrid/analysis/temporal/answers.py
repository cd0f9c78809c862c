"""A model's answers to many versions of a clip, in batches whatever the number of versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from hybrid.analysis.subject import Clips, Subject
from hybrid.evaluation.metrics import expected_grade

ROUNDING = 1e-5
"""grades: what is smaller is float32's rounding in differences of answers, no effect"""


def each_clip(subject: Subject, clips: Clips, title: str) -> Iterator[Tensor]:
    """Every clip_CTHW on the model's device, under a progress bar."""
    for clip_CTHW in tqdm(clips.clip_NCTHW, desc=f"{subject.label}: {title}", unit="clip", disable=None, leave=False):
        yield clip_CTHW.to(subject.device)


@torch.no_grad()
def distributions(subject: Subject, versions: Iterable[Tensor], batch_size: int) -> np.ndarray:
    """(V, K) float64: the answer to each of V clips (C, T, H, W), of which only a batch exists at a time."""
    versions, answers = iter(versions), []
    while batch := list(islice(versions, batch_size)):
        answers.append(subject.distribution(torch.stack(batch)).double().cpu())
    return torch.cat(answers).numpy()


def expected_grades(subject: Subject, versions: Iterable[Tensor], batch_size: int) -> np.ndarray:
    """(V,) expected grade of each version, as `distributions`."""
    return expected_grade(distributions(subject, versions, batch_size))
