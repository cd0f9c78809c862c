"""Ablations as W&B sweeps: agents on any machines, which start tools/train.py with the words one would type."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from hybrid.evaluation.ablation import Ablation, arms_of
from hybrid.experiment.plan import Job
from hybrid.files import check_output, write_text

PROGRAM = "tools/train.py"
HEAD = """\
# {help}
#     wandb sweep {path}
#     wandb agent <the id it prints>       in the checkout's folder, as many times as there are machines
"""


def write_sweeps(
    folder: Path, ablations: Iterable[Ablation], jobs: Sequence[Job], overrides: Sequence[str]
) -> list[Path]:
    """<folder>/<ablation>.yaml of each. overrides: what all runs are given."""
    paths = []
    for ablation in ablations:
        labels = [arm.label for arm in arms_of([ablation])]
        sweep = sweep_of(ablation, [job for job in jobs if job.arm.label in labels], overrides)
        path = Path(folder) / f"{ablation.name}.yaml"
        head = HEAD.format(help=ablation.help, path=path)
        check_output(path, "wandb sweep")
        write_text(path, head + yaml.safe_dump(sweep, sort_keys=False, allow_unicode=True, width=120))
        paths.append(path)
    return paths


def sweep_of(ablation: Ablation, jobs: Sequence[Job], overrides: Sequence[str]) -> dict[str, Any]:
    """The sweep's configuration: every arm on every repeat and fold. A label brings its settings."""
    config = jobs[0].config
    choices = {
        "arm": dict.fromkeys(job.arm.label for job in jobs),
        "repeat": dict.fromkeys(job.config.repeat for job in jobs),
        "fold": dict.fromkeys(job.config.fold for job in jobs),
    }
    sweep = {
        "name": f"{config.experiment} {ablation.name}",
        "description": ablation.help,
        "project": config.logger.project,
        "entity": config.logger.entity,
        "program": PROGRAM,
        "command": ["${env}", "${interpreter}", "${program}", *overrides, "logger=online", "${args_no_hyphens}"],
        "method": "grid",
        "metric": {"name": "fold/mse", "goal": "minimize"},
        "parameters": {key: {"values": list(values)} for key, values in choices.items()},
    }
    return {key: value for key, value in sweep.items() if value is not None}
