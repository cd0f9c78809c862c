"""What a training step takes, and how much of it outside the model, measured in the loop that trains."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch

from hybrid import get_entry
from hybrid.config import TrainConfig
from hybrid.data.loader import InMemoryClips, training_batches
from hybrid.data.transforms import IDENTITY, Moments, Normalisation
from hybrid.device import Machine
from hybrid.profiling.timing import wait_for
from hybrid.training.build import build_model
from hybrid.training.loop import make_trainer, quiet_libraries
from hybrid.training.module import GradeModule

GRADES = 5


class StepClock(pl.Callback):
    """Seconds of every step from its start to the next one's, and of its forward pass, backward pass and update.

    The forward pass ends with the loss, which may be the model's own. The update is the optimiser's, with emptying and
    clipping the gradients. The last step of an epoch is left out, for what follows it is no step. On a CPU it is the
    processor's time, on which other programs have less influence; with one thread on a machine at rest it is the time
    that passes.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.steps: list[dict[str, float]] = []
        self.step: dict[str, float] | None = None
        self.began = 0.0

    def now(self) -> float:
        wait_for(self.device)
        return time.process_time() if self.device.type == "cpu" else time.perf_counter()

    def starts(self, *_) -> None:
        self.began = self.now()

    def ends(self, part: str) -> None:
        self.step[part] += self.now() - self.began

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        grade_loss = module.model.grade_loss

        def timed(*arguments):
            self.starts()
            logits_and_parts = grade_loss(*arguments)
            self.ends("forward")
            return logits_and_parts

        module.model.grade_loss = timed
        (optimiser,) = trainer.optimizers
        optimiser.register_step_post_hook(lambda *_: self.ends("update"))

    def on_before_zero_grad(self, trainer, module, optimizer) -> None:
        self.starts()

    def on_train_batch_start(self, trainer, module, batch, step: int) -> None:
        now = self.now()
        if self.step is not None:
            self.steps.append(self.step | {"step": now - self.step["step"]})
        self.step = defaultdict(float, step=now)

    def on_before_backward(self, trainer, module, loss) -> None:
        # Lightning empties the gradients right before.
        self.ends("update")
        self.starts()

    def on_after_backward(self, trainer, module) -> None:
        self.ends("backward")

    def on_before_optimizer_step(self, trainer, module, optimizer) -> None:
        self.starts()

    def on_train_epoch_end(self, trainer, module) -> None:
        self.step = None


def measure_steps(configs: list[TrainConfig], machine: Machine, rounds: int) -> pd.DataFrame:
    """A row a model: milliseconds a clip of a training step and of its parts, and the per cent outside the model.

    The models train in turns, `rounds` times each, on as many random clips in as many epochs as their protocol has;
    given is the median step, and of all steps the share outside of forward pass, backward pass and update.
    """
    quiet_libraries()
    steps: dict[str, list[dict[str, float]]] = defaultdict(list)
    for _ in range(rounds):
        for config in configs:
            steps[config.model.name] += _train(config, machine)[1:]
    rows = []
    for config in configs:
        table = pd.DataFrame(steps[config.model.name])
        parts = 1e3 * table.median() / config.protocol.batch_size
        inside = table[["forward", "backward", "update"]].sum().sum()
        outside = {"outside_percent": 100 * (1 - inside / table["step"].sum())}
        rows.append({"model": config.model.name} | {f"{part}_ms": parts[part] for part in table} | outside)
    return pd.DataFrame(rows)


@cache
def _random_clips(*shape_NTHWC: int, shift: int) -> tuple[np.ndarray, Moments]:
    """Shared by all trainings, as an experiment's clips are, and measured: no model pays for that alone."""
    frames_NTHWC = np.random.default_rng(0).integers(0, 256, shape_NTHWC, dtype=np.uint8)
    moments, farthest = Moments(frames_NTHWC), IDENTITY._replace(shift=(shift, shift))
    moments.as_seen(range(len(frames_NTHWC)), [farthest] * len(frames_NTHWC))
    return frames_NTHWC, moments


def _train(config: TrainConfig, machine: Machine) -> list[dict[str, float]]:
    protocol, entry, num_frames = config.protocol, get_entry(config.model.name), config.model.num_frames
    number, side = 5 * protocol.batch_size, protocol.crop_size
    shift = round(protocol.augment.shift * side)
    frames_NTHWC, moments = _random_clips(number, num_frames, side, side, config.data.channels, shift=shift)
    targets_NK = torch.from_numpy(np.random.default_rng(0).dirichlet(np.ones(GRADES), number)).float()
    pl.seed_everything(0, verbose=False)
    model = machine.to_channels_last(build_model(config, GRADES))
    normalisation = Normalisation(entry.mean, entry.std, protocol.normalise)
    clips = InMemoryClips(frames_NTHWC, normalisation, model.used_frames(num_frames), moments)
    clock, batches = StepClock(machine.device), training_batches(np.arange(number), protocol.batch_size, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        epochs = protocol.epochs
        trainer = make_trainer(config, machine, Path(folder), epochs=epochs, callbacks=[clock], logger=None)
        trainer.fit(GradeModule(model, clips, targets_NK, config, seed=0), batches)
    return clock.steps
