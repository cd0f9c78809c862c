"""What tests of several rooms need: a data set of a few clips, and configurations as the command line makes them."""

import csv
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tests run side by side

import av
import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from hybrid.config import register_schemas

ROOT = Path(__file__).parent.parent


def write_dataset(root: Path, num_clips: int = 12) -> Path:
    """Bright squares that cross a grey field, faster the better the grade; groups of three."""
    (root / "clips").mkdir(parents=True)
    rows = []
    for number in range(num_clips):
        grade = number % 5
        with av.open(str(root / "clips" / f"{number}.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=16)
            stream.width = stream.height = 64
            stream.pix_fmt = "gray"
            for t in range(16):
                image = np.full((64, 64), 120, np.uint8)
                left = (5 * number + (5 - grade) * t) % 56
                image[number : number + 8, left : left + 8] = 220
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="gray")))
            container.mux(stream.encode())
        votes = [1, 1, 1, 1, 1]
        votes[grade] = 36
        rows.append([f"{number}.mkv", *votes, f"donor{number // 3}"])
    with open(root / "labels.csv", "w", newline="") as file:
        csv.writer(file).writerows([["clip", "A", "B", "C", "D", "E", "group"], *rows])
    return root


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory) -> Path:
    """Twelve clips of four groups; read only."""
    return write_dataset(tmp_path_factory.mktemp("small") / "clips_of_mine")


@pytest.fixture
def config_of(tmp_path, small_dataset):
    """`config_of("model=slowfast", ...)`: the configuration of a run on the small data set, in seconds."""
    register_schemas()

    def make(*overrides: str, name: str = "train"):
        with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
            return compose(name, [*quick_overrides(small_dataset, tmp_path), *overrides])

    return make


def quick_overrides(dataset: Path, folder: Path) -> list[str]:
    return [
        "protocol=smoke",
        "data=folder",
        f"data.root={dataset}",
        f"runs_dir={folder / 'runs'}",
        "logger=disabled",
        "protocol.batch_size=4",
    ]
