"""One live line over all runs of an experiment, with the time left.

What is done is read from the experiment's folder, so that the line is right whoever ran the other runs.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field

import pytorch_lightning as pl
from tqdm import tqdm

from hybrid.experiment.folder import RunFolder
from hybrid.files import read_json


@dataclass
class Progress:
    """The runs that are wanted, in order."""

    runs: list[RunFolder]
    failed: set[str] = field(default_factory=set)
    started: float = field(default_factory=time.perf_counter)

    def pending(self) -> list[RunFolder]:
        return [run for run in self.runs if not run.done and run.label not in self.failed]

    def seconds_left(
        self, current: RunFolder | None = None, share_done: float = 0.0, spent: float = 0.0
    ) -> float | None:
        """Seconds until every pending run is done, by what finished runs of the same model took; None: unknown yet.

        share_done, spent: how far the current run is, and the seconds it took to get there.
        """
        durations = defaultdict(list)
        for run in self.runs:
            if run.done:
                durations[run.path.parent.name].append(read_json(run.result)["seconds"])
        if share_done > 0 and current is not None:
            durations[current.path.parent.name].append(spent / share_done)
        if not durations:
            return None
        means = {model: sum(values) / len(values) for model, values in durations.items()}
        typical = sum(means.values()) / len(means)
        left = sum(means.get(run.path.parent.name, typical) for run in self.pending())
        return max(0.0, left - spent)

    def position(self) -> int:
        return len(self.runs) - len(self.pending())


def clock(seconds: float | None) -> str:
    """'1:02:03' or '2:03'; '?' where unknown."""
    return "?" if seconds is None else tqdm.format_interval(seconds)


class LiveLine(pl.Callback):
    """Draws the line while one run trains; silent where the output is not a terminal."""

    def __init__(self, run: RunFolder, progress: Progress | None = None) -> None:
        self.run = run
        self.progress = progress or Progress([run])
        self.bar: tqdm | None = None
        self.started = time.perf_counter()

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.started, self.first_epoch = time.perf_counter(), trainer.current_epoch
        if trainer.is_global_zero:
            self.bar = tqdm(
                total=trainer.max_epochs,
                initial=trainer.current_epoch,
                disable=None,  # where the output is no terminal
                leave=False,
                bar_format="{desc} {bar:20} epoch {n_fmt}/{total_fmt} {postfix}",
            )
            self.draw(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self.bar is not None:
            self.bar.update()
            self.draw(trainer)

    def draw(self, trainer: pl.Trainer) -> None:
        spent = time.perf_counter() - self.started
        share = (self.bar.n - self.first_epoch) / max(1, trainer.max_epochs - self.first_epoch)
        left = self.progress.seconds_left(self.run, share, spent)
        metrics = trainer.callback_metrics
        error = f"training MSE {float(metrics['train/mse']):.4f}, " if "train/mse" in metrics else ""
        self.bar.set_description_str(
            f"[{self.progress.position() + 1}/{len(self.progress.runs)}] {self.run.label}", refresh=False
        )
        self.bar.set_postfix_str(
            f"{error}elapsed {clock(time.perf_counter() - self.progress.started)}, left {clock(left)}"
        )

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
