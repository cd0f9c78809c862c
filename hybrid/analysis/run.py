"""An analysis from its plan to its page."""

import sys

import torch

from hybrid.analysis.compute import compute, costs, is_stored, tasks
from hybrid.analysis.model_pairs import compute_pairs
from hybrid.analysis.page.page import write_page
from hybrid.analysis.page.tables import plan_text
from hybrid.analysis.plan import AnalysisPlan
from hybrid.device import Machine


def analyse(plan: AnalysisPlan, machine: Machine, batch_size: int = 16, *, only_plan: bool = False) -> None:
    """Print what will be computed and how long it takes, compute what is not stored yet, write the page.

    only_plan: only print.
    """
    for notice in plan.notices:
        print(f"note: {notice}", file=sys.stderr)
    cost_of = costs(plan, machine.device)
    everything = tasks(plan, cost_of)
    pending = [task for task in everything if not is_stored(plan, task)]
    print(plan_text(plan, cost_of, everything, pending), flush=True)
    if not only_plan:
        # On a GPU convolutions take TF32 by default, which drowns the small differences that measures look for.
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            compute(plan, pending, machine.device, batch_size)
            compute_pairs(plan, machine.device, batch_size)
        print(write_page(plan))
