"""Who may import what: the models stand on five libraries alone, and the rooms' arrows run one way."""

import ast
import re
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


def test_a_finished_table_needs_no_torch_and_no_pandas():
    absent = {"torch", "pandas", "scipy", "sklearn", "matplotlib", "numba"}
    run_without(absent, "import hybrid.experiment.benchmark, hybrid.report.benchmark, hybrid.data.dataset")


def test_an_entry_is_read_without_the_libraries_that_build_its_model():
    absent = {"torchvision", "timm", "pytorchvideo", "transformers"}
    run_without(absent, "import hybrid; [hybrid.get_entry(name) for name in hybrid.list_models(controls=True)]")


def test_training_comes_without_what_few_runs_need_nor_torchmetrics_imports_for_metrics_that_nobody_asks_for():
    code = """
import sys
import hybrid.training.run
few = {"transformers", "torchvision", "timm", "matplotlib", "numba", "sklearn", "scipy.signal", "scipy.stats"}
print(few & set(sys.modules))
import torch
from torchmetrics.functional.image import structural_similarity_index_measure
x_1CHW = torch.rand(1, 1, 16, 16)
print(structural_similarity_index_measure(x_1CHW, x_1CHW).item())
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "set()\n1.0\n", done.stderr


def test_all_have_lightning_from_where_it_comes_lean():
    programs = [path for folder in ("hybrid", "tools") for path in (ROOT / folder).rglob("*.py")]
    at_the_start = {
        path.relative_to(ROOT).as_posix()
        for path in programs
        if re.search(r"^(import|from) (pytorch_lightning|lightning_fabric|torchmetrics)", path.read_text(), re.M)
    }
    assert at_the_start == {"hybrid/training/lightning.py"}


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


FLOORS = (
    ("baselines",),
    ("__init__", "errors", "names", "files", "config", "device", "folders", "kept_settings"),
    ("model", "data"),
    ("simulator", "evaluation", "profiling", "display", "field"),
    ("training",),
    ("pretraining",),
    ("experiment", "report", "analysis", "rating", "grading"),
    ("tools",),
    ("tests",),
)
"""from the bottom up: a room knows what lies below it; rooms of one floor do not know each other, but the ground's"""
GROUND = FLOORS[1]


def room_of(module: str) -> str:
    """'hybrid.data.clip' is in 'data'; what lies in hybrid/ itself is a room of its own."""
    package, *rest = module.split(".")
    return package if package != "hybrid" else rest[0] if rest else "__init__"


def floor_of(room: str) -> int:
    return next(floor for floor, rooms in enumerate(FLOORS) if room in rooms)


def sources() -> list[tuple[str, Path]]:
    """(room, file) of all that is not a test."""
    paths = [path for package in ("baselines", "hybrid", "tools") for path in sorted((ROOT / package).rglob("*.py"))]
    modules = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths}
    return [(room_of(module.removesuffix(".__init__")), path) for path, module in modules.items()]


def test_every_room_has_a_floor():
    assert {room for room, _ in sources()} == {room for rooms in FLOORS for room in rooms} - {"tests"}


@pytest.mark.parametrize("room", [room for rooms in FLOORS[:-1] for room in rooms])
def test_no_room_imports_a_higher_one_or_its_neighbour(room):
    """Also not inside a function, where it would be hidden."""
    mine = [path for of, path in sources() if of == room]
    assert mine
    for path in mine:
        for module in imports(path):
            if module.split(".")[0] not in ("baselines", "hybrid", "tools", "tests"):
                continue
            other = room_of(module)
            if other not in {known for rooms in FLOORS for known in rooms}:
                other = "__init__"  # `from hybrid import create_model`
            allowed = other == room or floor_of(other) < floor_of(room) or (room in GROUND and other in GROUND)
            assert allowed, f"{path.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("room", [room for rooms in FLOORS[:-1] for room in rooms if room not in GROUND])
def test_no_file_imports_itself_round_a_circle(room):
    """Also not inside a function, where a circle would be hidden."""
    paths = [path for of, path in sources() if of == room and path.name != "__init__.py"]
    acyclic({".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths})


def test_rooms_of_the_ground_import_each_other_one_way():
    acyclic({f"hybrid.{room}": path for room, path in sources() if room in GROUND and room != "__init__"})


def acyclic(files: dict[str, Path]) -> None:
    order = TopologicalSorter({name: imports(path) & set(files) for name, path in files.items()}).static_order()
    assert set(order) == set(files)
