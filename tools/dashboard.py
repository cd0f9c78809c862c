"""Lay out an experiment's runs as a dashboard in Weights & Biases.

    python tools/dashboard.py quick-simulated --entity my-team

The runs must be there: train with logger=online, or send offline runs with `wandb sync`. Needs an account (`wandb
login`) and the extra: pip install -e '.[dashboard]'.
"""

import argparse

from hybrid.errors import UserError, explained


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", help="its name, which is the group of its runs in W&B")
    parser.add_argument("--entity", required=True, help="user or team in W&B")
    parser.add_argument("--project", default="sperm-video-hybrid", help="(default: %(default)s)")
    options = parser.parse_args()

    from hybrid.report.dashboard import build_dashboard

    workspace = build_dashboard(options.experiment, options.entity, options.project)

    import wandb

    if not wandb.login(prompt=False, verify=False):
        raise UserError("a dashboard needs a W&B account: run `wandb login` first, or set WANDB_API_KEY")
    print(workspace.save().url)


if __name__ == "__main__":
    with explained():
        main()
