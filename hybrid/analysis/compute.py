"""Compute what an analysis has not computed yet, with an estimate beforehand of how long it takes."""

import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from tqdm import tqdm

from hybrid.analysis.base import Attribution, InputClips, ModelUnderTest
from hybrid.analysis.plan import AnalysisPlan, RunOnClips
from hybrid.analysis.store import Relevance, read_relevance, read_result, write_relevance, write_result
from hybrid.training.checkpoint import load_trained

TIMED = 4
"""clips in the batch whose time is taken"""
FINEST = 64
"""pixels a side of the relevance that is kept for the gallery"""


@dataclass(frozen=True)
class Cost:
    """Of one model, by label: seconds of a forward pass of one clip, and the passes of what applies to it.

    a_clip: passes a clip by name of the measure or attribution; once: those that are added, whatever the clips.
    """

    forward_seconds: float
    """of the processor, whatever else it has to do; on a GPU by the clock"""
    a_clip: dict[str, float]
    once: dict[str, float]

    def seconds(self, name: str, clips: int) -> float:
        return self.forward_seconds * (self.a_clip[name] * clips + self.once[name])


@dataclass(frozen=True)
class Task:
    """One measure or attribution of one trained model. kind: 'measures' or 'relevance'. seconds: estimated."""

    run: RunOnClips
    kind: str
    name: str
    seconds: float


def costs(plan: AnalysisPlan, device: torch.device) -> dict[str, Cost]:
    cost_of, known = {}, (*plan.measures.values(), *plan.attributions.values())
    for label in plan.labels:
        run = plan.runs_of(label)[0]
        trained = load_trained(run.trained_run.checkpoint, device)
        clip_BCTHW = run.clip_set.for_model(trained, run.numbers[:TIMED]).clip_NCTHW.to(device)
        asked = (trained.model, trained.spec.num_frames)
        methods = [method for method in known if method.applies_to(trained.model)]
        cost_of[label] = Cost(
            forward_seconds=_forward_seconds(trained.model, clip_BCTHW),
            a_clip={method.name: method.passes(*asked) for method in methods},
            once={method.name: method.passes_once(*asked) for method in methods},
        )
    return cost_of


@torch.no_grad()
def _forward_seconds(model: torch.nn.Module, clip_BCTHW: torch.Tensor) -> float:
    """Seconds a clip, the median of three batches after a first one: of the processor, where that computes it."""
    clock = time.process_time if clip_BCTHW.device.type == "cpu" else time.perf_counter
    seconds = []
    for _ in range(4):
        started = clock()
        model(clip_BCTHW).cpu()  # waits for the device
        seconds.append(clock() - started)
    return sorted(seconds[1:])[1] / len(clip_BCTHW)


def tasks(plan: AnalysisPlan, cost_of: dict[str, Cost]) -> list[Task]:
    """All there is to compute, whether it is stored or not, one model after the other."""
    wanted = [
        (run, "measures", name) for group in plan.groups for run in plan.runs_for(group) for name in group.measures
    ]
    wanted += [(run, "relevance", name) for run in plan.gallery for name in plan.attributions]
    return [
        Task(run, kind, name, cost_of[run.label].seconds(name, len(run.numbers)))
        for run, kind, name in wanted
        if name in cost_of[run.label].a_clip
    ]


def is_stored(plan: AnalysisPlan, task: Task) -> bool:
    read = read_result if task.kind == "measures" else read_relevance
    return read(plan.path(task.run, task.kind, task.name), task.run.cache_key(task.name)) is not None


def compute(plan: AnalysisPlan, pending: list[Task], device: torch.device, batch_size: int) -> None:
    """Do these tasks; each result goes into a file of its own as soon as it is known.

    The bar is over estimated seconds: the time left follows from how wrong the estimate has been so far.
    """
    form = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=sum(task.seconds for task in pending), bar_format=form, disable=None) as bar:
        for run in dict.fromkeys(task.run for task in pending):
            tested, clips = run.load(device)
            for task in [task for task in pending if task.run is run]:
                bar.set_description_str(f"{run.label} {run.name} {task.name}")
                path, key = plan.path(run, task.kind, task.name), run.cache_key(task.name)
                if task.kind == "measures":
                    write_result(path, key, plan.measures[task.name].measure(tested, clips, batch_size))
                else:
                    write_relevance(path, key, _relevance(plan.attributions[task.name], tested, clips, batch_size))
                bar.update(task.seconds)


def _relevance(attribution: Attribution, tested: ModelUnderTest, clips: InputClips, batch_size: int) -> Relevance:
    """In cells of which there are FINEST or fewer a side; sums are kept."""
    cells, grades = [], []
    for clip_BCTHW in clips.clip_NCTHW.to(tested.device).split(batch_size):
        relevance_BTHW = attribution.relevance(tested, clip_BCTHW).detach().float()
        side = min(FINEST, relevance_BTHW.shape[-1])
        area = (relevance_BTHW.shape[-1] / side) ** 2
        cells.append((F.adaptive_avg_pool2d(relevance_BTHW, side) * area).cpu())
        with torch.no_grad():
            grades.append(tested.expected_grade(clip_BCTHW).cpu())
    return Relevance(torch.cat(cells).numpy(), torch.cat(grades).numpy())
