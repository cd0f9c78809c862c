"""An analysis from its folders to its page."""

from __future__ import annotations

import sys

import torch

from hybrid.analysis.asking import answered, ask, tasks
from hybrid.analysis.between import ask_between
from hybrid.analysis.cost import costs
from hybrid.analysis.study import Study
from hybrid.report.analysis.page import write_analysis
from hybrid.report.analysis.plan import plan
from hybrid.training.machine import Machine


def analyse(study: Study, machine: Machine, batch_size: int = 16, *, dry_run: bool = False) -> None:
    """Print what will be asked and what it takes, ask what has not been answered yet, write the page.

    dry_run: only print.
    """
    for notice in study.notices:
        print(f"note: {notice}", file=sys.stderr)
    cost_of = costs(study, machine.device)
    everything = tasks(study, cost_of)
    pending = [task for task in everything if not answered(study, task)]
    print(plan(study, cost_of, everything, pending), flush=True)
    if not dry_run:
        # On a GPU convolutions take TF32 by default, which drowns the small differences that measures look for.
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            ask(study, pending, machine.device, batch_size)
            ask_between(study, machine.device, batch_size)
        print(write_analysis(study))
