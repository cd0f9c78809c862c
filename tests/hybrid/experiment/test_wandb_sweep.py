"""Sweeps as W&B reads them and as its agent starts them; nothing is sent."""

import shlex

import pytest
import yaml
from support import ROOT, quick_overrides
from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args, load_sweep_config

from hybrid.config import register_schemas
from hybrid.errors import UserError
from hybrid.evaluation.ablation import recorded_ablations
from hybrid.experiment.ablate import write_ablation_sweeps
from hybrid.experiment.hydra_jobs import composed
from hybrid.folders import ExperimentFolder

CONFIGS = ROOT / "configs"


@pytest.fixture
def write(tmp_path, small_dataset):
    register_schemas()

    def sweeps(*words):
        return write_ablation_sweeps(CONFIGS, [*quick_overrides(small_dataset, tmp_path), *words], tmp_path / "sweeps")

    return sweeps


def command_of(sweep: dict, parameters: dict) -> list[str]:
    """What W&B's agent makes of a sweep and the parameters it is handed, after `env` and the interpreter."""
    args = create_sweep_command_args({"args": {key: {"value": value} for key, value in parameters.items()}})
    words = []
    for part in create_sweep_command(list(sweep["command"])):
        name = part[2:-1] if part.startswith("${") else None
        words += args[name] if name in args else [sweep["program"]] if name == "program" else [] if name else [part]
    return words


def test_an_agent_trains_the_arm_it_is_told_to(write):
    (path,) = write("ablation=frames", "fold=0,1")
    sweep = load_sweep_config(str(path))
    assert (sweep["method"], sweep["metric"]) == ("grid", {"name": "fold/mse", "goal": "minimize"})
    grid = {key: values["values"] for key, values in sweep["parameters"].items()}
    assert list(grid) == ["arm", "repeat", "fold"] and grid["repeat"] == [0] and grid["fold"] == [0, 1]
    assert grid["arm"][:2] == ["hybrid", "frames-8"]
    program, *words = command_of(sweep, {"arm": "frames-8", "repeat": 0, "fold": 1})
    assert (ROOT / program).exists()
    config = composed(CONFIGS, "train", words)
    assert (config.arm, config.fold, config.model.num_frames, config.model.frame_rate) == ("frames-8", 1, 8, 8)
    assert (config.protocol.name, config.threads, config.logger.mode) == ("smoke", 1, "online")
    assert config.experiment == "ablation-smoke-clips_of_mine"
    default = composed(CONFIGS, "train", command_of(sweep, {"arm": "hybrid", "repeat": 0, "fold": 0})[1:])
    assert default.model.num_frames == 16 and default.arm == "hybrid"


def test_every_sweep_is_named_after_its_ablation_and_says_how_to_start_it(write, tmp_path):
    paths = write("ablation=laterals,head", "experiment=mine")
    assert [path.name for path in paths] == ["laterals.yaml", "head.yaml"]
    assert f"wandb sweep {paths[0]}" in paths[0].read_text()
    sweep = yaml.safe_load(paths[1].read_text())
    assert sweep["name"] == "mine head" and sweep["project"] == "sperm-video-hybrid" and "entity" not in sweep
    assert sweep["command"].count("experiment=mine") == 1
    assert all(shlex.split(word) == [word] for word in sweep["command"] if not word.startswith("${"))
    assert [ablation.name for ablation in recorded_ablations(ExperimentFolder(tmp_path / "runs" / "mine"))] == [
        "laterals",
        "head",
    ]


def test_what_cannot_be_built_is_no_sweep(write):
    with pytest.raises(UserError, match="'slowfast' has not"):
        write("ablation=laterals", "model=slowfast")


def test_wandbs_own_schema_finds_nothing_wrong(write):
    sweeps = pytest.importorskip("sweeps", reason="W&B's schema of sweeps: pip install sweeps")
    for path in write("ablation=frames,loss"):
        assert sweeps.schema_violations_from_proposed_config(yaml.safe_load(path.read_text())) == []
