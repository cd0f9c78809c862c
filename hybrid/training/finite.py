"""A run stops at the step in which a number is no longer finite, and says where and on which clips."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor

from hybrid.errors import UserError
from hybrid.training.lightning import pl

OVERFLOWS = 20
"""steps in a row whose gradients float16's scaler may skip: it starts at 2^16 and halves itself at each"""
SHOWN = 8
"""parameters at most that a message names"""


@dataclass(frozen=True)
class Step:
    """What a step came to, still on the device: to read it is to wait for it."""

    epoch: int
    number: int
    clips_B: Tensor
    loss: Tensor
    gradients_P: Tensor
    """norm, of each parameter that learns"""
    weights_P: Tensor
    """sum, of each of them after the step: not finite where one of its numbers is not"""
    bad: Tensor
    """on the CPU, as soon as it has arrived there"""
    arrived: torch.cuda.Event | None
    """of a step on a GPU"""


class StopAtNonFinite(pl.Callback):
    """Ends training with a UserError where a loss, a gradient, a weight or an error on held-out clips is not finite.

    A step is looked at when the next begins, on a GPU when the one after that does, so that it always has a step to do;
    and after an epoch's last step: before anything of the epoch is written.
    name_of: of a clip by its number.
    """

    def __init__(self, label: str, name_of: Callable[[int], str]) -> None:
        self.label, self.name_of = label, name_of
        self.steps: deque[Step] = deque()
        self.overflows: Tensor | int = 0

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: list, number: int) -> None:
        self._look(trainer, module, but=1 if module.device.type == "cuda" else 0)

    def on_validation_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._look(trainer, module)

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: list[Tensor], number: int
    ) -> None:
        loss, gradients_P = outputs["loss"].detach(), module.gradient_norms_P
        weights_P = torch.stack([p.detach().sum() for p in learning(module).values()])
        self.overflows = torch.where(gradients_P.isfinite().all(), 0, self.overflows + 1)
        allowed = OVERFLOWS if trainer.precision == "16-mixed" else 0
        bad = ~(loss.isfinite() & weights_P.isfinite().all()) | (self.overflows > allowed)
        arrived = None
        if bad.is_cuda:
            bad = bad.to("cpu", non_blocking=True)
            arrived = torch.cuda.current_stream().record_event()
        self.steps.append(Step(trainer.current_epoch, number, batch[0], loss, gradients_P, weights_P, bad, arrived))

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        errors = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("test/")}
        if wrong := [f"{name} is {value:g}" for name, value in errors.items() if not _finite(value)]:
            self._stop(trainer, module, f"epoch {trainer.current_epoch}", f"on the held-out clips {_some(wrong)}", [])

    def _look(self, trainer: pl.Trainer, module: pl.LightningModule, but: int = 0) -> None:
        """At all steps but as many of the last."""
        while len(self.steps) > but:
            step = self.steps.popleft()
            if step.arrived is not None:
                step.arrived.synchronize()
            if step.bad:
                self._tell(step, trainer, module)

    def _tell(self, step: Step, trainer: pl.Trainer, module: pl.LightningModule) -> NoReturn:
        names, said = list(learning(module)), []
        for what, values_P in (("gradients", step.gradients_P), ("weights", step.weights_P)):
            # None where gradients are still gathered for the first step.
            wrong = [name for name, value in zip(names, values_P.tolist(), strict=False) if not _finite(value)]
            said += [f"  {what}, {len(wrong)} of {len(names)} not finite: {_some(wrong)}"] if wrong else []
        clips = [self.name_of(clip) for clip in step.clips_B.tolist()]
        said.append(f"  clips of this step: {', '.join(clips)}")
        self._stop(
            trainer, module, f"epoch {step.epoch}, step {step.number}", f"the loss is {float(step.loss):g}", said
        )

    def _stop(self, trainer: pl.Trainer, module: pl.LightningModule, when: str, what: str, more: list[str]) -> NoReturn:
        recipe = module.config.model.recipe
        advice = [f"a lower model.recipe.learning_rate (it is {recipe.learning_rate:g})"]
        if trainer.precision != "32-true":
            advice.append(f"protocol.precision=32-true (it is {trainer.precision})")
        advice.append(f"a lower model.recipe.clip_gradient (it is {recipe.clip_gradient:g})")
        lines = [
            f"{self.label}: not finite in {when} (counted from 0): {what}",
            *more,
            "  nothing of this epoch is kept; the same command does it again",
            f"stopped in {when}: try {', or '.join(advice)}, with an experiment=... of its own; or look at its clips",
        ]
        raise UserError("\n".join(lines))


def learning(module: pl.LightningModule) -> dict[str, Tensor]:
    """The parameters that are trained, by name."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def _finite(value: float) -> bool:
    return math.isfinite(value)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
