"""Lay out an experiment's runs as a dashboard in Weights & Biases, and each of its ablations as one of its own.

    python tools/dashboard.py quick-simulated --entity my-team

Which ablations there are is read from the experiment's folder, runs/<experiment>/ablations.yaml. The runs must be in
W&B: train with logger=online, or send offline runs with `wandb sync`. Needs an account (`wandb login`) and the extra:
pip install -e '.[dashboard]'.
"""

import argparse
from pathlib import Path

from hybrid.errors import UserError, explained

with explained():
    from hybrid.files import typed_path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", help="its name, which is the group of its runs in W&B")
    parser.add_argument("--entity", required=True, help="user or team in W&B")
    parser.add_argument("--project", default="sperm-video-hybrid", help="(default: %(default)s)")
    parser.add_argument(
        "--runs-dir", type=typed_path, default=Path("runs"), help="where experiments are (default: runs)"
    )
    options = parser.parse_args()

    from hybrid.evaluation.ablation import recorded_ablations
    from hybrid.folders import ExperimentFolder
    from hybrid.report.dashboard import build_dashboard

    shown = [None, *recorded_ablations(ExperimentFolder(options.runs_dir / options.experiment))]
    workspaces = [build_dashboard(options.experiment, options.entity, options.project, part) for part in shown]

    import wandb

    if not wandb.login(prompt=False, verify=False):
        raise UserError("a dashboard needs a W&B account: run `wandb login` first, or set WANDB_API_KEY")
    for workspace in workspaces:
        print(f"{workspace.name}: {workspace.save().url}")


if __name__ == "__main__":
    with explained():
        main()
