"""Cross-validate every model on the same folds, and report."""

import sys
from pathlib import Path

from hybrid.errors import explained

with explained():
    import hydra

    from hybrid.config import TrainConfig, register_schemas
    from hybrid.experiment.hydra_jobs import command_line
    from hybrid.experiment.overrides import FLAGS, check_dashes, groups_of, settings_of

    register_schemas()

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


@hydra.main(version_base="1.3", config_path="../configs", config_name="benchmark")
def with_hydras_flags(config: TrainConfig) -> None:
    """--help, --cfg job, --info ...; without them the runs are checked before and reported after Hydra does them."""
    from hybrid.experiment.benchmark import benchmark_job

    benchmark_job(config)


def main() -> int:
    with explained():
        check_dashes(sys.argv[1:], {*settings_of(TrainConfig), *groups_of(CONFIGS)}, {*FLAGS, "--plan"})
    overrides = [word for word in sys.argv[1:] if word != "--plan"]
    if any(word.startswith("-") for word in overrides):
        with explained():
            sys.argv[1:] = command_line(CONFIGS, "benchmark", TrainConfig, sys.argv[1:])
            with_hydras_flags()
        return 0
    with explained():
        from hybrid.experiment.benchmark import run_benchmark
        from hybrid.report.benchmark import write_report

        return run_benchmark(CONFIGS, "benchmark", overrides, write_report, only_plan="--plan" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
