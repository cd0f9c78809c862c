"""Simulate a data set: python tools/simulate.py --help."""

import sys
from pathlib import Path

from hybrid.errors import explained

with explained():
    import hydra
    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    from hybrid.experiment.hydra_jobs import command_line
    from hybrid.simulator.settings import Settings, SimulateConfig

    ConfigStore.instance().store("simulate_schema", SimulateConfig)

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


@hydra.main(config_path="../configs", config_name="simulate", version_base="1.3")
def main(config) -> None:
    with explained():
        cfg: SimulateConfig = OmegaConf.to_object(config)
        root, settings = Path(cfg.root), Settings(**vars(cfg.settings))
        if cfg.benchmark:
            from hybrid.simulator.checks.run import clips_a_second

            clips_a_second(cfg.num_clips, cfg.workers, settings)
        elif cfg.beside:
            from hybrid.simulator.checks.compare_real import compare_real

            compare_real(Path(cfg.beside), root / "beside.png", settings, cfg.seed)
            print(f"look at {root / 'beside.png'}")
        elif cfg.gates:
            from hybrid.simulator.checks.run import check_simulator

            gates = check_simulator(root, cfg.preset, cfg.num_clips, cfg.seed, cfg.workers, settings)
            sys.exit(any(gate.verdict == "FAILED" for gate in gates))
        else:
            from hybrid.simulator.dataset import simulate_dataset

            made = simulate_dataset(
                root, preset=cfg.preset, num_clips=cfg.num_clips, seed=cfg.seed, workers=cfg.workers, settings=settings
            )
            print(f"{cfg.num_clips} clips in {made}; what they are: {made / 'README.md'}")


if __name__ == "__main__":
    with explained():
        sys.argv[1:] = command_line(CONFIGS, "simulate", SimulateConfig, sys.argv[1:])
        main()
