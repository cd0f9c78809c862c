"""Simulate a data set: python tools/simulate.py --help."""

import sys
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from hybrid.errors import UserError
from hybrid.simulator.config import SimulateConfig

ConfigStore.instance().store("simulate_schema", SimulateConfig)


@hydra.main(config_path="../configs", config_name="simulate", version_base="1.3")
def main(config) -> None:
    from hybrid.simulator.dataset import simulate_dataset

    cfg: SimulateConfig = OmegaConf.to_object(config)
    try:
        settings = cfg.settings.settings()
        root = simulate_dataset(
            Path(cfg.root),
            preset=cfg.preset,
            num_clips=cfg.num_clips,
            seed=cfg.seed,
            workers=cfg.workers,
            settings=settings,
        )
    except UserError as error:
        print(f"simulate: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"{cfg.num_clips} clips in {root}")


if __name__ == "__main__":
    main()
