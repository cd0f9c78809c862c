"""What cross-validating a probe takes once features are kept: a whole benchmark, as it is typed, on made-up clips and
features of the real sizes.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from unittest.mock import patch

import numpy as np
import pandas as pd

from hybrid.config import TrainConfig
from hybrid.data.cache import CACHE_VARIABLE
from hybrid.device import choose_machine
from hybrid.experiment.hydra_jobs import composed
from hybrid.experiment.overrides import typed
from hybrid.experiment.prepare import check
from hybrid.experiment.typed_commands import GRADES, SIDE, make_up_clips, type_command
from hybrid.files import write_json
from hybrid.folders import experiment_folder
from hybrid.training.build import build_model
from hybrid.training.features import PROFILE, feature_files


def measure_probes(
    config_dir: Path, benchmark: Path, names: Sequence[str], words: Sequence[str], clips: int
) -> pd.DataFrame:
    """A row a frozen model: what `benchmark`, a program, takes for all folds of its probe with these `words`.

    `tokens` and `width` of a clip's features, `parameters` of the probe, `epochs`; `run_s`, the seconds of a run, their
    median; `processor_s` of the program and all its processes, `wall_s` from its start to its end: with imports, checks
    and report.
    """
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with patch.dict(os.environ, {CACHE_VARIABLE: str(folder / "cache")}):
            make_up_clips(folder / "clips", clips)
            places = ["data=folder", f"data.root={folder / 'clips'}", f"runs_dir={folder}"]
            words = [*words, *places, f"protocol.crop_size={SIDE}"]  # where clips are shown, each network has its own
            for name in names:
                rows.append(_measured(config_dir, benchmark, [f"model={name}", f"experiment={name}", *words]))
    return pd.DataFrame(rows)


def _measured(config_dir: Path, benchmark: Path, words: Sequence[str]) -> dict[str, float | str]:
    config = composed(config_dir, "train", typed(words, TrainConfig, config_dir))
    model, machine = build_model(config, GRADES), choose_machine(config.accelerator, config.protocol.precision)
    files, views = feature_files(config, model, check(config), machine)
    shape_VTPD = (len(views), model.backbone.steps, model.grid**2, model.backbone.width)
    files[0].parent.mkdir()
    rng = np.random.default_rng(0)
    write_json(files[0].with_name(PROFILE), {"parameters": 0, "gmac": 0.0})
    for path in files:
        np.save(path, rng.standard_normal(shape_VTPD, dtype=np.float32).astype(np.float16))
    try:
        took = type_command(benchmark, words)
    finally:
        for path in files:  # gigabytes
            path.unlink()
    results = experiment_folder(config).results()
    return {
        "model": config.model.name,
        "tokens": shape_VTPD[1] * shape_VTPD[2],
        "width": shape_VTPD[3],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "epochs": config.protocol.epochs,
        "run_s": median(result["seconds"] for result in results),
        "processor_s": took.processor,
        "wall_s": took.wall,
    }
