"""Cross-validate every model on the same folds, and report."""

import sys
from pathlib import Path

import hydra

from hybrid.config import TrainConfig, register_schemas
from hybrid.errors import explained
from hybrid.experiment.ablation import spelled_out

CONFIGS = Path(__file__).parent.parent / "configs"
register_schemas()


@hydra.main(version_base="1.3", config_path="../configs", config_name="benchmark")
def launch(config: TrainConfig) -> None:
    from hybrid.experiment.benchmark import benchmark_job

    benchmark_job(config)


def main() -> int:
    with explained():
        sys.argv[1:] = spelled_out(CONFIGS, sys.argv[1:])
    if any(word.startswith("-") for word in sys.argv[1:]):
        launch()  # Hydra's own flags: --help, --cfg job, --info ...
        return 0
    with explained():
        from hybrid.experiment.benchmark import run_benchmark

        return run_benchmark(CONFIGS, "benchmark", sys.argv[1:], launch)


if __name__ == "__main__":
    sys.exit(main())
