"""Change one thing about the hybrid at a time, and measure what it does to the error and what it costs.

    python tools/ablate.py ablation=window                     one axis, each value against the default
    python tools/ablate.py ablation=window,positions           several; the default is trained once
    python tools/ablate.py ablation=overview                   one other value of each axis, for a first look
    python tools/ablate.py --plan ablation=all                 what all of them come to, and how long they would take
    python tools/ablate.py ablation=all                        a night or more on two processors
    python tools/ablate.py --sweep sweeps ablation=window      the same for agents of W&B, on many machines
    python tools/ablate.py ablation=loss data=folder data.root=my_clips protocol=tiny protocol.num_folds=3

Any setting of tools/benchmark.py can be given and holds for every arm (protocol=tiny unless another is named). Before
anything is trained every arm is checked, and the arms, the runs and the time they will take are printed. Runs are kept
in runs/<experiment>/<arm>/, all on the same folds; started again, the same command does what is missing. The report is
in runs/<experiment>/report/: a table and a figure for each ablation, with differences to the default, their intervals
and the cost, and the page.

One run of one arm, as an agent of a W&B sweep starts it: python tools/train.py arm=window-3 fold=0 protocol=tiny
"""

import argparse
import sys
from pathlib import Path

from hybrid.errors import explained

with explained():
    from hybrid.config import TrainConfig, register_schemas
    from hybrid.experiment.overrides import check_dashes, groups_of, settings_of
    from hybrid.files import typed_path

    register_schemas()

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


def listed() -> str:
    """The ablations, as the end of the help."""
    from hybrid.experiment.arms import ABLATIONS

    lines = ["ablations (of hybrid/experiment/arms.py; all: every one but the factorials):"]
    for name, ablation in ABLATIONS.items():
        arms = f"every combination of {' and '.join(ablation.factors)}"
        if not ablation.factors:
            arms = f"{ablation.default.shown} | " + " ".join(arm.shown for arm in ablation.arms)
        lines += [f"  {name:18} {ablation.help}", f"{'':21}{arms}"]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=listed(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="ablation=NAME[,NAME...], and settings")
    parser.add_argument("--plan", action="store_true", help="print arms, runs and time, and train nothing")
    parser.add_argument(
        "--sweep", type=typed_path, metavar="FOLDER", help="write a W&B sweep of each, and train nothing"
    )
    settings = {"ablation", *settings_of(TrainConfig), *groups_of(CONFIGS)}
    check_dashes(sys.argv[1:], settings, {"--plan", "--sweep", "--help", "-h"})
    options = parser.parse_intermixed_args()

    from hybrid.experiment.ablate import run_ablations, write_ablation_sweeps
    from hybrid.report.benchmark import write_report

    if options.sweep is not None:
        for path in write_ablation_sweeps(CONFIGS, options.overrides, options.sweep):
            print(f"wandb sweep {path}")
        return 0
    return run_ablations(CONFIGS, options.overrides, write_report, only_plan=options.plan)


if __name__ == "__main__":
    with explained():
        sys.exit(main())
