"""Train one model on all folds but one, and test it on that one; or on all clips."""

import sys
from pathlib import Path

from hybrid.errors import explained

with explained():
    import hydra

    from hybrid.config import NO_FOLD, TrainConfig, register_schemas
    from hybrid.experiment.hydra_jobs import command_line

    register_schemas()

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


@hydra.main(version_base="1.3", config_path="../configs", config_name="train")
def main(config: TrainConfig) -> None:
    with explained():
        from hybrid.experiment.benchmark import check_all
        from hybrid.folders import run_folder

        check_all([config])

        from hybrid.experiment.one_run import do_run  # torch comes with it, which no check of a number needs
        from hybrid.training.all_clips import told
        from hybrid.training.callbacks import LiveLine

        run = run_folder(config)
        if run.done:
            run.read_result("train_clips", *([] if config.fold == NO_FOLD else ["metrics.mse"]))  # which are told
            print(f"{run.label}: is done already, and nothing is trained", flush=True)
        result = do_run(config, [LiveLine(run.label)])
        if result and config.fold == NO_FOLD:  # of the processes that do it together, the first has the result
            print(f"{told(run, result['train_clips'])}   {run.path}")
        elif result:
            print(f"{run.label}: MSE {100 * result['metrics']['mse']:.2f} x 10^-2   {run.path}")


if __name__ == "__main__":
    with explained():
        sys.argv[1:] = command_line(CONFIGS, "train", TrainConfig, sys.argv[1:])
        main()
