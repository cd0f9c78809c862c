import pytest
from finished_runs import SPEC, write_runs

from hybrid.data.dataset import load_dataset
from hybrid.folders import ExperimentFolder


@pytest.fixture(scope="session")
def clips_of_mine(small_dataset):
    return load_dataset(small_dataset, SPEC)


@pytest.fixture
def experiment(tmp_path, clips_of_mine) -> ExperimentFolder:
    return write_runs(tmp_path / "runs" / "three-models", clips_of_mine)
