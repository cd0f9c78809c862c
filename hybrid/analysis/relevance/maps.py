"""The relevance of all clips of an analysis, a batch at a time: whole it would not fit in memory at paper size."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor
from tqdm import tqdm

from hybrid.analysis.attribution import Attribution
from hybrid.analysis.subject import Clips, Subject


def clip_batches(subject: Subject, clips: Clips, batch_size: int, what: str) -> Iterator[Tensor]:
    """(B, C, T, H, W) where the model is."""
    starts = range(0, len(clips), batch_size)
    for start in tqdm(starts, desc=f"{subject.label} {what}", unit="batch", disable=None, leave=False):
        yield clips.clip_NCTHW[start : start + batch_size].to(subject.device)


def magnitudes(attribution: Attribution, subject: Subject, clips: Clips, batch_size: int) -> Iterator[Tensor]:
    """(B, T, H, W) on the CPU, without signs: what speaks for a worse grade counts as what speaks for a better one."""
    for clip_BCTHW in clip_batches(subject, clips, batch_size, attribution.name):
        yield attribution.relevance(subject, clip_BCTHW).abs().float().cpu()
