"""Many runs: what is done is kept, what is missing is run, what fails is reported at the end."""

import multiprocessing
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from hybrid.config import TrainConfig
from hybrid.data.dataset import ClipDataset
from hybrid.data.folds import held_out_clips, share_of, split_groups, split_notices, unequal_folds
from hybrid.data.near_duplicates import split_twins
from hybrid.errors import UserError
from hybrid.evaluation.ablation import Arm
from hybrid.experiment.hydra_jobs import asked_runs, composed, jobs_at_a_time, multirun, split_sweep, sweep_over
from hybrid.experiment.overrides import typed
from hybrid.experiment.prepare import check, check_folds, check_groups, check_numbers, prepare
from hybrid.experiment.progress import Progress, monitored, why
from hybrid.files import write_text
from hybrid.folders import Busy, ExperimentFolder, experiment_folder, run_folder
from hybrid.kept_settings import OtherSettings

Report = Callable[[ExperimentFolder], str]
"""writes the report of an experiment, and returns what a terminal is told of it"""


def run_benchmark(
    config_dir: Path, config_name: str, overrides: Sequence[str], report: Report, *, only_plan: bool = False
) -> int:
    """Check everything, do what is not done, report. Returns the exit status.

    only_plan: after the checks, print arms, runs and time, and train nothing.
    """
    overrides = typed(overrides, TrainConfig, config_dir)
    configs = asked_runs(config_dir, config_name, overrides)
    dataset = check_all(configs)
    fixed, _ = split_sweep(overrides)
    if only_plan:
        from hybrid.experiment.plan import Job, in_words, make_plan  # here, for pandas comes with it

        jobs = [Job(Arm(config.arm, config.arm), config) for config in configs]
        at_a_time = jobs_at_a_time(composed(config_dir, config_name, fixed, hydra=True))
        print(in_words(make_plan([], jobs, len(dataset), len(dataset.grades), at_a_time)))
        return 0
    sweep = [*fixed, sweep_over("model", (config.model.name for config in configs)), *sweep_over_runs(configs)]
    return do_runs(configs, lambda: multirun(config_dir, config_name, sweep, benchmark_job), report)


def sweep_over_runs(configs: Iterable[TrainConfig]) -> list[str]:
    """The overrides of a multirun over their repeats and folds."""
    configs = list(configs)
    return [sweep_over(key, (config[key] for config in configs)) for key in ("repeat", "fold")]


def do_runs(configs: Sequence[TrainConfig], launch: Callable[[], None], report: Report) -> int:
    """`launch` what is not done of runs that `check_all` has passed, and report. Returns the exit status."""
    folder = experiment_folder(configs[0])
    runs = [run_folder(config) for config in configs]
    if not all(run.done for run in runs):  # else all that is written down is there, and takes a second to compare
        for config in one_of_each_arm(configs):
            prepare(config)
    for run in runs:
        for old in (run.error, *([run.last] if run.done else [])):  # the latter of a program killed just before its end
            if old.exists():  # else a finished experiment could not be told of where nothing may be written
                old.unlink(missing_ok=True)
    progress = Progress(runs, configs[0].protocol.epochs)
    pending = len(progress.pending())
    print(f"{folder.path}: {len(runs)} runs, {len(runs) - pending} of them done already", flush=True)
    if pending:
        folder.plan({run.label for run in runs})
        try:
            with monitored(progress):
                launch()
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
        except Exception as error:  # of the launcher, where a worker was killed for memory, say: report what there is
            told = "".join(traceback.format_exception_only(error)).strip()
            print(f"error: the launcher stopped: {told}", file=sys.stderr)
    missing = [run for run in runs if not run.done]
    if any(run.done for run in runs):
        print(report(folder))
    for run in missing:
        if run.busy:
            print(
                f"{run.label} is being trained by another program: when that has ended, start this again",
                file=sys.stderr,
            )
        else:
            whole = f"   (whole error: {run.error})" if run.error.exists() else ""
            print(f"failed: {run.label}: {why(run)}{whole}", file=sys.stderr)
    return 1 if missing else 0


def check_all(configs: Sequence[TrainConfig]) -> ClipDataset:
    """Refuse what is wrong with any of these runs before the first of them leaves a trace; print what is odd.

    That is their data set, which is returned, and its folds and, of those that are not done, what they are built of and
    start from.
    """
    if len(configs) > 1 and configs[0].devices * configs[0].num_nodes > 1:
        raise UserError("devices and num_nodes are for one run (tools/train.py); here each run is a process of its own")
    for config in configs:
        check_numbers(config)
    if pending := [config for config in configs if not run_folder(config).done]:
        from hybrid.training.build import check_models, fetch_weights

        models = check_models(one_of_each_arm(pending))  # before the data set, which may have to be simulated
    check_groups(configs[0])
    for config in one_of_each_arm(configs):
        try:
            dataset = check(config)
        except OtherSettings:
            from hybrid.training.build import check_models

            check_models([config])  # a value that no model can have is told as that, not as another than before
            raise
    folds_RN = check_folds(config, dataset)
    for config in pending:
        tested = held_out_clips(config.fold, folds_RN[config.repeat])
        share_of(len(dataset) - len(tested), config.model.recipe.train_share)
    split = split_notices(split_groups(folds_RN, dataset.groups))
    twins = split_twins(dataset, folds_RN)
    for notice in (dataset.told, *dataset.notices, *unequal_folds(folds_RN), *split, *twins):
        print(f"note: {notice}", file=sys.stderr)
    if pending:
        from hybrid.evaluation.results import check_split, read_run
        from hybrid.training.seen import check_starts

        experiment = run_folder(config).experiment
        if done := experiment.done_runs():
            check_split(experiment, map(read_run, done))
        fetch_weights(models)
        check_starts(pending, dataset, folds_RN)
    return dataset


def one_of_each_arm(configs: Iterable[TrainConfig]) -> list[TrainConfig]:
    """The runs of an arm differ in repeat and fold alone."""
    return list({config.arm: config for config in configs}.values())


def benchmark_job(config: TrainConfig) -> None:
    """One run of a benchmark. An error is written into its folder and does not reach the other runs."""
    _end_with_parent()
    run = run_folder(config)
    if run.done:
        return
    try:
        from hybrid.experiment.one_run import do_run

        do_run(config)
    except Busy:
        pass  # another benchmark on this folder does it: no failure, and told at the end
    except Exception as error:
        text = str(error) if isinstance(error, UserError) else traceback.format_exc()
        try:
            write_text(run.error, text.rstrip() + "\n")
        except UserError:  # the disk is full: say it at least
            print(f"{run.label}: {text.rstrip()}", file=sys.stderr, flush=True)


def _end_with_parent() -> None:
    """Let a worker process end when the program that started it was killed: its next start does the run again."""
    if multiprocessing.parent_process() is None:
        return  # this is that program
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
