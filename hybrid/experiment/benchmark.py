"""Many runs: what is done is kept, what is missing is run, what fails is reported at the end."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from hybrid.config import TrainConfig
from hybrid.errors import UserError
from hybrid.experiment.folder import RunFolder, experiment_folder
from hybrid.experiment.prepare import prepare
from hybrid.experiment.progress import Progress, clock
from hybrid.experiment.sweep import asked_runs
from hybrid.files import write_text


def run_benchmark(config_dir: Path, config_name: str, overrides: Sequence[str], launch: Callable[[], None]) -> int:
    """Check everything, `launch` the Hydra multirun over what is not done, report. Returns the exit status."""
    configs = asked_runs(config_dir, config_name, overrides)
    folder = experiment_folder(configs[0])
    for config in configs:
        prepare(config)
    runs = [folder.run(config.model.name, config.repeat, config.fold) for config in configs]
    for run in runs:
        run.error.unlink(missing_ok=True)
    progress = Progress(runs)
    progress.write(folder)
    pending = len(progress.pending())
    print(f"{folder.path}: {len(runs)} runs, {len(runs) - pending} of them done already", flush=True)
    if pending:
        _check_models(configs)
        launch()

    from hybrid.report.benchmark import write_report

    failed = [run for run in runs if not run.done]
    if any(run.done for run in runs):
        print(write_report(folder))
    for run in failed:
        print(f"failed: {run.label}: {_last_line(run)}   (whole error: {run.error})", file=sys.stderr)
    return 1 if failed else 0


def _check_models(configs: list[TrainConfig]) -> None:
    from hybrid.training.architecture import check_model  # with torch, which a benchmark that is done does not need

    for config in {config.model.name: config for config in configs}.values():
        check_model(config)


def benchmark_job(config: TrainConfig) -> None:
    """One run of a benchmark. An error is written into its folder and does not reach the other runs."""
    folder = experiment_folder(config)
    run = folder.run(config.model.name, config.repeat, config.fold)
    if run.done:
        return
    progress = Progress.read(folder)
    try:
        from hybrid.training.run import train_run

        dataset, folds_RN = prepare(config)
        result = train_run(config, dataset, folds_RN[config.repeat], progress)
    except Exception as error:
        text = str(error) if isinstance(error, UserError) else traceback.format_exc()
        write_text(run.error, text.rstrip() + "\n")
        tqdm.write(f"{run.label}  FAILED: {_last_line(run)}", file=sys.stderr)
    else:
        tqdm.write(_line(run, result, progress))
        sys.stdout.flush()


def _line(run: RunFolder, result: dict, progress: Progress) -> str:
    place = f"[{progress.position()}/{len(progress.runs)}] {run.label:26}"
    times = f"took {clock(result['seconds'])}, left {clock(progress.seconds_left())}"
    return f"{place} MSE {100 * result['metrics']['mse']:.2f} x 10^-2   {times}"


def _last_line(run: RunFolder) -> str:
    return run.error.read_text(encoding="utf-8").strip().splitlines()[-1] if run.error.exists() else "did not finish"


