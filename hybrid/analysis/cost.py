"""What an analysis will take: the measured time of a forward pass, times the passes of each measure."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from hybrid.analysis.attribution import Attribution
from hybrid.analysis.footage import clips_for
from hybrid.analysis.measure import Measure
from hybrid.analysis.study import Asked, Study
from hybrid.training.checkpoint import load_trained

TIMED = 4
"""clips in the batch whose time is taken"""


@dataclass(frozen=True)
class Cost:
    """Of one model, by label: seconds of a forward pass of one clip, and the passes of what applies to it.

    a_clip: passes a clip by name of the measure or attribution; once: those that come beside, whatever the clips.
    without: measures that do not apply to it.
    """

    forward_seconds: float
    a_clip: dict[str, float]
    once: dict[str, float]
    without: tuple[str, ...]

    def seconds(self, name: str, clips: int) -> float:
        return self.forward_seconds * (self.a_clip[name] * clips + self.once.get(name, 0))


def costs(study: Study, device: torch.device) -> dict[str, Cost]:
    return {label: _cost(study.of(label)[0], study, device) for label in study.labels}


def _cost(asked: Asked, study: Study, device: torch.device) -> Cost:
    trained = load_trained(asked.source.checkpoint, device)
    clip_BCTHW = clips_for(trained, asked.footage, asked.numbers[:TIMED]).clip_NCTHW.to(device)
    frames = trained.spec.num_frames
    everything: list[Measure | Attribution] = [*study.measures.values(), *study.attributions.values()]
    apply = [one for one in everything if one.applies_to(trained.model)]
    return Cost(
        forward_seconds=forward_seconds(trained.model, clip_BCTHW),
        a_clip={one.name: one.passes(trained.model, frames) for one in apply},
        once={one.name: one.passes_once(trained.model, frames) for one in apply if isinstance(one, Measure)},
        without=tuple(one.name for one in everything if one not in apply),
    )


@torch.no_grad()
def forward_seconds(model: torch.nn.Module, clip_BCTHW: torch.Tensor) -> float:
    """Seconds a clip, the median of three batches after a first one."""
    seconds = []
    for _ in range(4):
        started = time.perf_counter()
        model(clip_BCTHW).cpu()  # waits for the device
        seconds.append(time.perf_counter() - started)
    return sorted(seconds[1:])[1] / len(clip_BCTHW)
