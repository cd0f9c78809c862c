"""What a training step and an answer take, in the loop that trains and beside the plain way (`plain`)."""

import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from baselines import ClipModel
from hybrid import get_entry
from hybrid.config import TrainConfig
from hybrid.data.clip import ClipSpec
from hybrid.data.loader import InMemoryClips, training_batches
from hybrid.data.transforms import IDENTITY, Moments, Normalisation
from hybrid.device import Machine, choose_machine
from hybrid.errors import UserError
from hybrid.profiling import profile_model
from hybrid.profiling.timing import (
    busy_clock,
    matrix_peak,
    peak_memory,
    time_inference,
    time_training_step,
    wait_for,
)
from hybrid.training.build import build_model
from hybrid.training.ensemble import predict_distributions
from hybrid.training.lightning import pl
from hybrid.training.loop import make_trainer, quiet_libraries
from hybrid.training.module import GradeModule
from hybrid.training.plain import IMPLEMENTATIONS, PlainClips, PlainWay

GRADES = 5
EPOCHS, STEPS = 4, 5
"""of a training that is measured, and of an epoch of it"""


class StepClock(pl.Callback):
    """Seconds of every step from its start to the next one's, and of its forward pass, backward pass and update.

    The forward pass ends with the loss, which may be the model's own. The update is the optimiser's, with emptying and
    clipping the gradients. The last step of an epoch is left out, for what follows it is no step. On a CPU it is the
    processor's time, on which other programs have less influence; with one thread on a machine at rest it is the time
    that passes. On a GPU it is what passes there, by marks among its work: nobody waits for it within a step.
    losses: of every step, on the device.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.marks: list[dict[str, list[tuple]]] = []
        self.step: dict[str, list[tuple]] | None = None
        self.step_began = self.began = None
        self.losses: list[torch.Tensor] = []

    def now(self):
        if self.device.type != "cuda":
            return time.process_time()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    @property
    def steps(self) -> list[dict[str, float]]:
        wait_for(self.device)
        return [{part: sum(map(_seconds, marks)) for part, marks in step.items()} for step in self.marks]

    def starts(self, *_) -> None:
        self.began = self.now()

    def ends(self, part: str) -> None:
        self.step[part].append((self.began, self.now()))

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
            self.marks.append({"step": [(self.step_began, now)]} | self.step)
        self.step, self.step_began = defaultdict(list), now

    def on_train_batch_end(self, trainer, module, outputs, batch, step: int) -> None:
        self.losses.append(outputs["loss"].detach())

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


def _seconds(marks: tuple) -> float:
    began, ended = marks
    return ended - began if isinstance(began, float) else began.elapsed_time(ended) / 1e3


def measure_steps(
    configs: list[TrainConfig], machine: Machine, rounds: int, videos: Sequence[Path] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tables, a row a model, of milliseconds a clip: ours, and beside the plain way.

    Ours: of a training step and of its parts, and the per cent outside the model; of an answer in evaluation. The
    models train and answer in turns, `rounds` times each, on random clips; given is the median, and of all steps the
    share outside of forward pass, backward pass and update.
    Beside: where there are videos, each model that IMPLEMENTATIONS has a plain way of has its turn that way, too, on as
    many of them as there are random clips, some more than once. `loading_ms` is the part of a step until its clips are
    there; `times` how many times as long a step is as ours, and `times_loaded` if loading them took nothing. Left out
    is a model that fits in a GPU's memory our way alone.
    """
    quiet_libraries()
    steps, answers, plain_steps, plain_answers = (defaultdict(list) for _ in range(4))
    too_large: set[str] = set()
    for _ in range(rounds):
        for config in configs:
            name, clips, model = config.model.name, _clips(config), _model(config, machine)
            try:
                steps[name] += _train(config, machine, model, clips).steps[1:]
                answers[name].append(_ask(config, machine, model, clips))
            except torch.OutOfMemoryError as error:
                raise UserError(
                    f"memory does not hold {config.protocol.batch_size} clips of {name}: try a smaller --batch-size"
                ) from error
            if videos and name in IMPLEMENTATIONS and name not in too_large:
                way = PlainWay(config, machine, _same_clips(config, videos))
                try:
                    plain_steps[name] += way.train()
                    plain_answers[name].append(way.ask() / len(way.clips))
                except torch.OutOfMemoryError:
                    too_large.add(name)
                    print(f"note: memory does not hold a batch of {name} the plain way", file=sys.stderr)
    ours, beside = [], []
    for config in configs:
        name, size = config.model.name, config.protocol.batch_size / 1e3
        table = pd.DataFrame(steps[name])
        inside = table[["forward", "backward", "update"]].sum().sum()
        step, answer = table["step"].median() / size, 1e3 * median(answers[name])
        ours.append(
            {"model": name}
            | {f"{part}_ms": table[part].median() / size for part in table}
            | {"outside_percent": 100 * (1 - inside / table["step"].sum()), "inference_ms": answer}
        )
        if plain_answers[name]:
            plain = pd.DataFrame(plain_steps[name]) / size
            plain_answer = 1e3 * median(plain_answers[name])
            beside.append(
                {
                    "model": name,
                    "step_ms": step,
                    "plain_step_ms": plain["step"].median(),
                    "loading_ms": plain["loading"].median(),
                    "times": plain["step"].median() / step,
                    "times_loaded": (plain["step"] - plain["loading"]).median() / step,
                    "inference_ms": answer,
                    "plain_inference_ms": plain_answer,
                    "inference_times": plain_answer / answer,
                }
            )
    return pd.DataFrame(ours), pd.DataFrame(beside)


@cache
def _random_clips(*shape_NTHWC: int, shift: int) -> tuple[np.ndarray, Moments]:
    """Shared by all trainings, as an experiment's clips are, and measured: no model pays for that alone."""
    frames_NTHWC = np.random.default_rng(0).integers(0, 256, shape_NTHWC, dtype=np.uint8)
    moments, farthest = Moments(frames_NTHWC), IDENTITY._replace(shift=(shift, shift))
    moments.as_seen(range(len(frames_NTHWC)), [farthest] * len(frames_NTHWC))
    return frames_NTHWC, moments


def _number(config: TrainConfig) -> int:
    return STEPS * config.protocol.batch_size


def _targets(config: TrainConfig) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).dirichlet(np.ones(GRADES), _number(config))).float()


def _clips(config: TrainConfig) -> InMemoryClips:
    protocol, entry, frames = config.protocol, get_entry(config.model.name), config.model.num_frames
    side, shift = protocol.crop_size, round(protocol.augment.shift * protocol.crop_size)
    frames_NTHWC, moments = _random_clips(_number(config), frames, side, side, config.data.channels, shift=shift)
    return InMemoryClips(frames_NTHWC, Normalisation(entry.mean, entry.std, protocol.normalise), moments=moments)


def _same_clips(config: TrainConfig, videos: Sequence[Path]) -> PlainClips:
    entry, model = get_entry(config.model.name), config.model
    spec = ClipSpec(model.num_frames, model.frame_rate, config.protocol.crop_size, config.data.channels)
    paths = [videos[n % len(videos)] for n in range(_number(config))]
    return PlainClips(paths, _targets(config), spec, entry.mean, entry.std)


def _model(config: TrainConfig, machine: Machine) -> ClipModel:
    pl.seed_everything(0, verbose=False)
    return machine.to_channels_last(build_model(config, GRADES))


def _train(config: TrainConfig, machine: Machine, model: ClipModel, clips: InMemoryClips) -> StepClock:
    clips.used = model.used_frames(config.model.num_frames)
    clock = StepClock(machine.device)
    batches = training_batches(np.arange(_number(config)), config.protocol.batch_size, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        epochs = min(EPOCHS, config.protocol.epochs)
        trainer = make_trainer(config, machine, Path(folder), epochs=epochs, callbacks=[clock], logger=None)
        trainer.fit(GradeModule(model, clips, _targets(config), config, seed=0), batches)
    return clock


def _ask(config: TrainConfig, machine: Machine, model: ClipModel, clips: InMemoryClips) -> float:
    """Seconds a clip of the answers that a run ends with."""
    clock, number = busy_clock(machine.device), _number(config)
    model.to(machine.device)
    began = clock()  # answers come to the CPU, so a GPU is done when they are there
    predict_distributions(model, clips, np.arange(number), config.protocol.batch_size, machine)
    return (clock() - began) / number


def compare_precisions(config: TrainConfig, accelerator: str) -> pd.DataFrame:
    """The learning curves of one model from the same weights, on the same clips and views: a row a step, with its loss
    in float32 and in bfloat16.
    """
    quiet_libraries()
    curves = {}
    for precision in ("32-true", "bf16-mixed"):
        machine = choose_machine(accelerator, precision)
        clock = _train(config, machine, _model(config, machine), _clips(config))
        curves[precision] = torch.stack(clock.losses).float().cpu().numpy()
    return pd.DataFrame(curves)


PAPER_CLIPS = 615
"""of the paper's data set, for its protocol's hours"""
OF_A_STEP = 3
"""forward passes: a backward pass has two products for each one of a forward pass"""
SIDE = {"cuda": 8192, "cpu": 1024}
"""of the matrices whose product is a machine's peak"""


def measure_protocol(configs: list[TrainConfig], machine: Machine, clips: int) -> tuple[pd.DataFrame, float]:
    """What a protocol takes by model: a row a model, and the machine's measured peak in TFLOP/s.

    One step and one answer on `clips` random clips in memory (on a GPU the median of 5 after 2; half as many clips
    where its memory does not hold them): `clips`, ms a clip of a step and of an answer, TFLOP/s of the step (three
    times the forward pass's, as `profile_model` counts it), its per cent of the peak, GB of GPU memory; and the `hours`
    of all runs of the protocol on PAPER_CLIPS clips, one after the other on a GPU, on a CPU on as many processors as it
    has, a thread each. Left out are decoding (once), start-up and reports, and whether so many runs fit in memory.
    """
    cuda = machine.device.type == "cuda"
    dtype = machine.reduced or torch.float32
    peak = matrix_peak(machine.device, dtype, SIDE["cuda" if cuda else "cpu"]) / 1e12
    at_a_time = 1 if cuda else os.cpu_count()
    rows = []
    for config in tqdm(configs, "steps of the protocol", unit="model", disable=None, leave=False):
        protocol, side, frames = config.protocol, config.protocol.crop_size, config.model.num_frames
        model = _model(config, machine)
        gmac = profile_model(model, (config.data.channels, frames, side, side)).gmac
        model, number = model.to(machine.device), clips
        while True:
            try:
                train, answer, gb = _timed(model, number, config, machine)
                break
            except torch.OutOfMemoryError:
                if number == 1:
                    raise
                number //= 2
        tested = PAPER_CLIPS / protocol.num_folds
        a_run = protocol.epochs * ((PAPER_CLIPS - tested) * train + tested * answer)
        tflops = OF_A_STEP * 2e-3 * gmac / train
        rows.append(
            {
                "model": config.model.name,
                "clips": number,
                "step_ms": 1e3 * train,
                "answer_ms": 1e3 * answer,
                "tflops": tflops,
                "peak_percent": 100 * tflops / peak,
                "memory_gb": gb,
                "hours": protocol.num_folds * protocol.repeats * a_run / 3600 / at_a_time,
            }
        )
        del model
    return pd.DataFrame(rows), peak


def _timed(model: ClipModel, clips: int, config: TrainConfig, machine: Machine) -> tuple[float, float, float | None]:
    """Seconds a clip of a step and of an answer, and the memory that the step took."""
    protocol = config.protocol
    shape = (clips, config.data.channels, config.model.num_frames, protocol.crop_size, protocol.crop_size)
    clip_BCTHW, clock = torch.rand(shape, device=machine.device), busy_clock(machine.device)
    many = dict(repetitions=5, warm_up=2) if machine.device.type == "cuda" else dict(repetitions=1, warm_up=0)
    with machine.autocast():
        answer = time_inference(model, clip_BCTHW, clock=clock, **many)
        with peak_memory(machine.device) as peak:
            train = time_training_step(model, clip_BCTHW, clock=clock, **many)
    return train, answer, peak.gb
