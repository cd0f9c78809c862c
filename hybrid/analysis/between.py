"""How alike the layers of two trained models are: two models, and two trainings of one, which is the measure for it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from hybrid.analysis.asking import subject_and_clips
from hybrid.analysis.footage import choose
from hybrid.analysis.measure import Matrix
from hybrid.analysis.results import Question, read_finding, write_finding
from hybrid.analysis.study import Asked, Study
from hybrid.analysis.temporal.cka import compare

LEAST = 4
"""clips that the unbiased estimate takes"""


@dataclass(frozen=True)
class Meeting:
    """Two trained models and the clips that neither was trained on."""

    first: Asked
    second: Asked

    @property
    def labels(self) -> tuple[str, str]:
        return self.first.source.label, self.second.source.label

    @property
    def question(self) -> Question:
        one, other = self.first, self.second
        return Question(
            "cka",
            " and ".join(self.labels),
            f"{one.source.run} and {other.source.run}",
            f"{one.checkpoint} {other.checkpoint}",
            f"{one.clips} {other.clips}",
        )


def meetings(study: Study) -> list[Meeting]:
    """The models of `study.pairs` in every run that both have, and of each the runs that share test clips."""
    if "cka" not in study.measures:
        return []
    found = []
    for pair in study.pairs:
        of_run = [{asked.source.run: asked for asked in study.of(label)} for label in pair]
        found += [Meeting(asked, of_run[1][run]) for run, asked in of_run[0].items() if run in of_run[1]]
    for label in dict.fromkeys(label for pair in study.pairs for label in pair):
        found += [met for one, other in pairwise(study.of(label)) if (met := _same(one, other))]
    return [met for met in found if len(met.first.numbers) >= LEAST and met.first.names == met.second.names]


def _same(one: Asked, other: Asked) -> Meeting | None:
    """Two trainings of one model, about clips that both have been tested on."""
    common = set(one.names) & set(other.names)
    if all(asked.source.of_experiment and asked.source.held_out.issuperset(asked.names) for asked in (one, other)):
        common = one.source.held_out & other.source.held_out  # of which each is asked about some
    numbers = choose(one.footage, common, len(one.numbers))
    return Meeting(one.about(numbers), other.about(numbers)) if len(numbers) >= LEAST else None


def ask_between(study: Study, device: torch.device, batch_size: int) -> None:
    """Compare those that have not been compared yet; a pass through either model a clip."""
    pending = [met for met in meetings(study) if read_finding(_path(study, met), met.question) is None]
    for met in tqdm(pending, desc="comparing layers", unit="pair", disable=None, leave=False):
        sides = [subject_and_clips(asked, device) for asked in (met.first, met.second)]
        write_finding(_path(study, met), met.question, compare(*sides, batch_size))


def between(study: Study) -> dict[str, dict[tuple[str, str], Matrix]]:
    """By kind of CKA ('clips', 'time') and pair of labels: the mean map over runs."""
    maps: dict[str, dict[tuple[str, str], list[Matrix]]] = {}
    for met in meetings(study):
        finding = read_finding(_path(study, met), met.question)
        for kind, matrix in (finding.matrices if finding is not None else {}).items():
            maps.setdefault(kind, {}).setdefault(met.labels, []).append(matrix)
    return {
        kind: {
            labels: Matrix(np.mean([m.value_RC for m in found], axis=0), found[0].rows, found[0].columns)
            for labels, found in by_pair.items()
        }
        for kind, by_pair in maps.items()
    }


def _path(study: Study, met: Meeting) -> Path:
    return study.folder / "between" / met.question.label / f"{met.question.run}.npz"
