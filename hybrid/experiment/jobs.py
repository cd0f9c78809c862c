"""Runs that differ in more than a sweep can say, handed to a Hydra launcher as one multirun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig

from hybrid.config import TrainConfig


def launch_jobs(
    config_dir: Path,
    config_name: str,
    words: Sequence[str],
    jobs: Sequence[Sequence[str]],
    task: Callable[[TrainConfig], object],
) -> None:
    """Run `task` on the configuration of each job with the launcher that the words name.

    words: overrides that all jobs share; jobs: what each adds to them. What a sweeper does, but for making the jobs.
    """
    with initialize_config_dir(str(config_dir), job_name=config_name, version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        config = loader.load_configuration(config_name, list(words), run_mode=RunMode.MULTIRUN)
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=HydraContext(config_loader=loader, callbacks=Callbacks(config)),
            task_function=task,
            config=config,
        )
        launcher.launch([[*config.hydra.overrides.task, *job] for job in jobs], initial_job_idx=0)


def jobs_at_a_time(config: DictConfig) -> int:
    """config: with Hydra's part. 1 where the launcher does not say: one after the other, or machines of their own."""
    return max(1, int(config.hydra.launcher.get("n_jobs", 1)))
