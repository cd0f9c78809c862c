"""How alike the layers of two trained models are: of two models, and of two trainings of one as the yardstick."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from tqdm import tqdm

from hybrid.analysis.base import Matrix
from hybrid.analysis.measures.cka import compare
from hybrid.analysis.plan import AnalysisPlan, RunOnClips
from hybrid.analysis.store import CacheKey, read_result, write_result

LEAST = 4
"""clips that the unbiased estimate needs"""


@dataclass(frozen=True)
class CrossModelCKA:
    """Two trained models on clips that neither was trained on."""

    first: RunOnClips
    second: RunOnClips

    @property
    def labels(self) -> tuple[str, str]:
        return self.first.label, self.second.label

    @property
    def cache_key(self) -> CacheKey:
        one, other = self.first, self.second
        return CacheKey(
            "cka",
            " and ".join(self.labels),
            f"{one.name} and {other.name}",
            f"{one.checkpoint_digest} {other.checkpoint_digest}",
            f"{one.clips_digest} {other.clips_digest}",
        )


def cross_model_pairs(plan: AnalysisPlan) -> list[CrossModelCKA]:
    """The models of `plan.pairs` in every run that both have, and of each model the runs that share test clips."""
    if "cka" not in plan.measures:
        return []
    found = []
    for pair in plan.pairs:
        of_name = [{run.name: run for run in plan.runs_of(label)} for label in pair]
        found += [CrossModelCKA(run, of_name[1][name]) for name, run in of_name[0].items() if name in of_name[1]]
    for label in dict.fromkeys(label for pair in plan.pairs for label in pair):
        found += [same for one, other in pairwise(plan.runs_of(label)) if (same := _two_trainings(one, other))]
    return [
        pair for pair in found if len(pair.first.numbers) >= LEAST and pair.first.clip_names == pair.second.clip_names
    ]


def _two_trainings(one: RunOnClips, other: RunOnClips) -> CrossModelCKA | None:
    """Two trainings of one model, on clips that both have been tested on."""
    common = set(one.clip_names) & set(other.clip_names)
    sides = [(run, run.trained_run) for run in (one, other)]
    if all(trained.of_experiment and trained.held_out.issuperset(run.clip_names) for run, trained in sides):
        common = one.trained_run.held_out & other.trained_run.held_out  # of which each is asked about some
    numbers = one.clip_set.choose(common, len(one.numbers))
    return CrossModelCKA(one.on(numbers), other.on(numbers)) if len(numbers) >= LEAST else None


def compute_pairs(plan: AnalysisPlan, device: torch.device, batch_size: int) -> None:
    """Compare the pairs that are not stored yet; it takes a pass through either model a clip."""
    pending = [pair for pair in cross_model_pairs(plan) if read_result(_path(plan, pair), pair.cache_key) is None]
    for pair in tqdm(pending, desc="comparing layers", unit="pair", disable=None, leave=False):
        sides = [run.load(device) for run in (pair.first, pair.second)]
        write_result(_path(plan, pair), pair.cache_key, compare(*sides, batch_size))


def mean_by_pair(plan: AnalysisPlan) -> dict[str, dict[tuple[str, str], Matrix]]:
    """By kind of CKA ('clips', 'time') and pair of labels: the mean map over runs."""
    maps: dict[str, dict[tuple[str, str], list[Matrix]]] = {}
    for pair in cross_model_pairs(plan):
        result = read_result(_path(plan, pair), pair.cache_key)
        for kind, matrix in (result.matrices if result is not None else {}).items():
            maps.setdefault(kind, {}).setdefault(pair.labels, []).append(matrix)
    return {
        kind: {labels: Matrix.mean_of(found) for labels, found in by_pair.items()} for kind, by_pair in maps.items()
    }


def _path(plan: AnalysisPlan, pair: CrossModelCKA) -> Path:
    return plan.folder / "between" / pair.cache_key.label / f"{pair.cache_key.run}.npz"
