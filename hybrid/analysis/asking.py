"""Ask every trained model everything that has not been answered yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from tqdm import tqdm

from hybrid.analysis.cost import Cost
from hybrid.analysis.footage import clips_for
from hybrid.analysis.results import Relevance, read_finding, read_relevance, write_finding, write_relevance
from hybrid.analysis.study import Asked, Study
from hybrid.analysis.subject import Clips, Subject
from hybrid.training.checkpoint import load_trained

FINEST = 64
"""pixels a side of the relevance that is kept for the gallery"""


@dataclass(frozen=True)
class Task:
    """One question to one trained model. kind: 'measures', or 'relevance' for the gallery. seconds: estimated."""

    asked: Asked
    kind: str
    name: str
    seconds: float


def tasks(study: Study, costs: dict[str, Cost]) -> list[Task]:
    """Every question, answered or not, one model after the other."""
    wanted = [
        (asked, "measures", name)
        for group in study.groups
        for asked in study.asked_by(group)
        for name in group.measures
    ]
    wanted += [(asked, "relevance", name) for asked in study.gallery for name in study.attributions]
    return [
        Task(asked, kind, name, costs[asked.source.label].seconds(name, len(asked.numbers)))
        for asked, kind, name in wanted
        if name in costs[asked.source.label].a_clip
    ]


def answered(study: Study, task: Task) -> bool:
    read = read_finding if task.kind == "measures" else read_relevance
    return read(study.path(task.asked, task.kind, task.name), task.asked.question(task.name)) is not None


def ask(study: Study, pending: list[Task], device: torch.device, batch_size: int) -> None:
    """Answer these questions, each into a file of its own as soon as it is known."""
    with _progress(sum(task.seconds for task in pending)) as bar:
        for asked in dict.fromkeys(task.asked for task in pending):
            own = [task for task in pending if task.asked is asked]
            subject, clips = subject_and_clips(asked, device)
            for task in own:
                bar.set_description_str(f"{asked.source.label} {asked.source.run} {task.name}")
                path, question = study.path(asked, task.kind, task.name), asked.question(task.name)
                if task.kind == "measures":
                    write_finding(path, question, study.measures[task.name].measure(subject, clips, batch_size))
                else:
                    write_relevance(path, question, relevance(study, task.name, subject, clips, batch_size))
                bar.update(task.seconds)


def subject_and_clips(asked: Asked, device: torch.device) -> tuple[Subject, Clips]:
    """The trained model, frozen, in float32: differences and gradients are smaller than half precision's steps."""
    trained = load_trained(asked.source.checkpoint, device)
    trained.model.requires_grad_(False)
    subject = Subject(trained.model, trained.name, asked.source.label, asked.source.seed, trained.normalisation)
    return subject, clips_for(trained, asked.footage, asked.numbers)


def relevance(study: Study, name: str, subject: Subject, clips: Clips, batch_size: int) -> Relevance:
    """By one method, in cells of which there are FINEST or fewer a side; sums are kept."""
    cells, grades = [], []
    for clip_BCTHW in clips.clip_NCTHW.to(subject.device).split(batch_size):
        relevance_BTHW = study.attributions[name].relevance(subject, clip_BCTHW).detach().float()
        side = min(FINEST, relevance_BTHW.shape[-1])
        area = (relevance_BTHW.shape[-1] / side) ** 2
        cells.append((F.adaptive_avg_pool2d(relevance_BTHW, side) * area).cpu())
        with torch.no_grad():
            grades.append(subject.expected_grade(clip_BCTHW).cpu())
    return Relevance(torch.cat(cells).numpy(), torch.cat(grades).numpy())


@contextmanager
def _progress(seconds: float) -> Iterator[tqdm]:
    """A bar over estimated seconds: the time left follows from how wrong the estimate has been so far."""
    form = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=seconds, bar_format=form, disable=None) as bar:
        yield bar
