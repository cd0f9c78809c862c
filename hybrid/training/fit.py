"""What every training here goes through: one process at a time, from the last good epoch, the result written last."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch
from filelock import FileLock, Timeout
from torch import Tensor, nn
from torch.utils.data import DataLoader

from hybrid.config import TrainConfig
from hybrid.device import Machine, choose_machine
from hybrid.errors import UserError
from hybrid.files import read_json, write_json
from hybrid.folders import Busy, RunFolder, arm_folder
from hybrid.training.callbacks import History
from hybrid.training.finite import StopAtNonFinite
from hybrid.training.lightning import pl
from hybrid.training.loop import environment_info, make_trainer, quiet_libraries, to_continue_from
from hybrid.training.precision_check import check_precision
from hybrid.training.tracking import Tracker


@dataclass(frozen=True)
class Outcome:
    """What comes of a training: its result, plain values; the figures of it and the tables that are logged."""

    result: dict[str, Any]
    figures: dict[str, float]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


def once(run: RunFolder, train: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of a run: of `train`, unless it is done. `Busy` while another process is at it."""
    if pl.utilities.rank_zero_only.rank:  # of the processes that do this run together, the first holds the lock
        return train()
    try:
        # Released by the system however the process ends. A second is for those who only look whether it is held.
        run.path.mkdir(parents=True, exist_ok=True)
        with FileLock(run.lock, timeout=1):
            return read_json(run.result) if run.done else train()
    except Timeout:
        raise Busy(f"{run.label} is being trained by another process ({run.path})") from None


def begin(config: TrainConfig) -> tuple[Machine, float]:
    """The machine that is asked for, with as many threads, and when this was."""
    began = time.perf_counter()
    quiet_libraries()
    machine = choose_machine(config.accelerator, config.protocol.precision)
    if config.threads and machine.device.type == "cpu":
        torch.set_num_threads(config.threads)
    return machine, began


def fit(
    run: RunFolder,
    module: pl.LightningModule,
    batches: tuple[DataLoader, DataLoader | None],
    outcome: Callable[[History], Outcome],
    *,
    settings: dict[str, Any],
    begun: tuple[Machine, float],
    epochs: int,
    checked: tuple[nn.Module, Tensor],
    name_of: Callable[[int], str],
    callbacks: Sequence[pl.Callback],
) -> dict[str, Any]:
    """Train, and write the result that `outcome` makes of the learning curves; nothing on other ranks than the first.

    batches: of training, and those that are watched, if any. settings: what the weights depend on, for the tracker.
    checked: the net whose gradients are checked first, and clips as it gets them. name_of: of a clip by its number.
    """
    config, (machine, began) = module.config, begun
    check_precision(arm_folder(config), settings["model"], *checked, machine)
    history, tracker = History(run.metrics), Tracker(config, settings, run.path, run.label)
    with tracker.opened() as logger:
        watching = [StopAtNonFinite(run.label, name_of), history, *callbacks]
        trainer = make_trainer(config, machine, run.path, epochs=epochs, callbacks=watching, logger=logger)
        try:
            trainer.fit(module, *batches, ckpt_path=to_continue_from(run.last, module), weights_only=True)
        except pl.utilities.exceptions.SIGTERMException as stopped:  # Lightning's own way out is an exit status of 0
            print(f"{run.label}: stopped (SIGTERM); the same command continues where it was", file=sys.stderr)
            raise SystemExit(128 + signal.SIGTERM) from stopped
        except SystemExit as ended:  # Lightning's way out of Ctrl-C: status 1, no word, and deaf to a second one
            signal.signal(signal.SIGINT, signal.default_int_handler)
            raise (ended.__context__ if isinstance(ended.__context__, KeyboardInterrupt) else ended) from None
        except torch.OutOfMemoryError as error:
            raise UserError(
                f"{run.label}: memory does not hold {batches[0].batch_size} clips at a time: try "
                f"protocol.accumulate={2 * config.protocol.accumulate} (a step in as many parts), or a smaller "
                "protocol.batch_size, with an experiment=... of its own"
            ) from error
        if not trainer.is_global_zero:
            return {}
        done = outcome(history)
        result = {**done.result, "seconds": time.perf_counter() - began, **environment_info(machine)}
        run.error.unlink(missing_ok=True)
        write_json(run.result, result)
        run.last.unlink(missing_ok=True)
        tracker.log_outcome(logger, done.figures, done.tables)
    return result
