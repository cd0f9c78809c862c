"""A data set of a few clips, configurations as the command line makes them, and a browser for pages."""

import os
import runpy
import signal
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tests run side by side

import pytest
from chromium import start
from support import ROOT, quick_overrides, write_dataset

from hybrid.config import register_schemas
from hybrid.data.cache import CACHE_VARIABLE
from hybrid.experiment.hydra_jobs import composed

OFFLINE = Path(__file__).parent / "offline"
REFUSED = runpy.run_path(str(OFFLINE / "sitecustomize.py"))["REFUSED"]  # from here on, in this process


def pytest_configure(config) -> None:
    """No network for the programs that tests start, either, and a file for what is refused of all of them."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(OFFLINE), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ.setdefault(REFUSED, tempfile.mkstemp(suffix=".txt")[1])
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background: programs here are to hear it
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter) -> None:
    """What a library asked for and did without; a test that needs it fails by itself."""
    if refused := Path(os.environ[REFUSED]).read_text(encoding="utf-8").splitlines():
        terminalreporter.write_line(f"{len(refused)} connections to other machines were refused:")
        for line in sorted(set(refused)):
            terminalreporter.write_line(f"  {line}")


def pytest_collection_modifyitems(items) -> None:
    import torch

    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason="torch finds no NVIDIA GPU"))


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory) -> None:
    """Nothing is written where the user's own decoded clips are."""
    os.environ[CACHE_VARIABLE] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory) -> Path:
    """Twelve clips of four groups; read only."""
    return write_dataset(tmp_path_factory.mktemp("small") / "clips_of_mine")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = start(tmp_path_factory.mktemp("browser"))
    yield driver
    driver.quit()


@pytest.fixture
def config_of(tmp_path, small_dataset):
    """`config_of("model=slowfast", ...)`: the configuration of a run on the small data set, in seconds."""
    register_schemas()

    def make(*overrides: str, name: str = "train"):
        return composed(ROOT / "configs", name, [*quick_overrides(small_dataset, tmp_path), *overrides])

    return make
