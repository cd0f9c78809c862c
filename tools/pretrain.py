"""Pretrain a model on simulated clips: it learns what the simulator knows of them, and no grades."""

import sys
from pathlib import Path

from hybrid.errors import explained

with explained():
    import hydra

    from hybrid.config import PretrainConfig, register_schemas
    from hybrid.experiment.hydra_jobs import command_line

    register_schemas()

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


@hydra.main(version_base="1.3", config_path="../configs", config_name="pretrain")
def main(config: PretrainConfig) -> None:
    with explained():
        from hybrid.pretraining.attributes import TARGETS
        from hybrid.pretraining.run import check_pretraining, estimate, pretrain, pretraining_folder
        from hybrid.training.callbacks import SeenLine

        check_pretraining(config)
        folder = pretraining_folder(config)
        if not folder.done:
            print(estimate(config), flush=True)
        result = pretrain(config, [SeenLine(folder.label, config.clips)])
        if not result:  # of the processes that do it together, the first has it
            return
        found = result["errors"]["test"]
        errors = ", ".join(f"{group} {found[group]:.2f}" for group in [*TARGETS[config.targets], "all"])
        print(f"{folder.label}: error on held-out clips, of 1: {errors}   {folder.model}")


if __name__ == "__main__":
    with explained():
        sys.argv[1:] = command_line(CONFIGS, "pretrain", PretrainConfig, sys.argv[1:])
        main()
