"""Who may import what: the models stand on five libraries alone, and the rooms' arrows run one way."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

WITHOUT = """
import sys
class Hidden:
    # As if not installed: also for those who only ask whether it is (importlib.util.find_spec).
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] in {absent!r} else self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Hidden(finder) for finder in sys.meta_path]
{statement}
"""

MODELS_ALONE = """
import torch
from hybrid import create_model, list_models
for name in list_models():
    create_model(name, "tiny")(torch.zeros(1, 3, 16, 64, 64))
"""


def run_without(absent: set[str], statement: str) -> None:
    code = WITHOUT.format(absent=absent, statement=statement)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_models_need_torch_torchvision_timm_einops_and_pytorchvideo_alone():
    absent = {"av", "wandb", "hydra", "omegaconf", "pytorch_lightning", "pandas", "sklearn", "scipy", "matplotlib"}
    run_without(absent | {"transformers"}, MODELS_ALONE)


def test_the_baselines_need_nothing_of_the_hybrid():
    run_without({"hybrid"}, "import torch, baselines; baselines.create_model('slowfast', 'tiny')")


def test_naming_the_models_imports_no_torch_and_building_one_by_either_package_is_the_same():
    run_without({"torch", "timm"}, "import hybrid, baselines, hybrid.config")
    run_without(set(), "import hybrid, baselines; baselines.create_model('hybrid', 'tiny')")
    listed = "assert baselines.list_models()[8:10] == ['i3d', 'slowfast'] and baselines.list_models()[-1] == 'hybrid'"
    run_without(set(), f"import hybrid.model.fusion, baselines.x3d, baselines; {listed}")


def test_training_and_reports_need_no_decoder_and_no_wandb_until_used():
    modules = "hybrid.training.run, hybrid.experiment.benchmark, hybrid.report.benchmark, hybrid.data.dataset"
    run_without({"wandb", "av"}, f"import {modules}")


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("room", ["baselines", "hybrid/model", "hybrid/profiling"])
def test_no_file_imports_itself_round_a_circle(room):
    """Also not inside a function, where a circle would be hidden."""
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in (ROOT / room).glob("[!_]*.py")}
    order = TopologicalSorter({name: imports(path) & set(files) for name, path in files.items()}).static_order()
    assert set(order) == set(files)


@pytest.mark.parametrize("room, above", [("baselines", ("hybrid", "tools")), ("hybrid", ("tools", "tests"))])
def test_no_room_imports_upwards(room, above):
    for path in (ROOT / room).rglob("*.py"):
        assert not {name for name in imports(path) if name.split(".")[0] in above}, path


def test_models_and_data_import_nothing_that_trains_or_reports():
    for room in ("model", "data", "simulator", "evaluation"):
        for path in (ROOT / "hybrid" / room).rglob("*.py"):
            higher = {name for name in imports(path) if name.startswith(("hybrid.experiment", "hybrid.report"))}
            assert not higher, path
