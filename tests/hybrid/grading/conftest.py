"""A field video, its boxes, and models to grade with."""

from pathlib import Path

import pytest
from simulated_fields import Field, make_field, write_boxes
from tiny_graders import write_graders


@pytest.fixture(scope="session")
def field(tmp_path_factory) -> Field:
    """Read only."""
    return make_field(tmp_path_factory.mktemp("field"))


@pytest.fixture(scope="session")
def boxes(field, tmp_path_factory) -> Path:
    """Of all cells, of which the last one is there for 10 frames alone."""
    some = field.boxes[(field.boxes["id"] != "cell5") | (field.boxes["frame"] < 10)]
    return write_boxes(tmp_path_factory.mktemp("boxes"), some, "csv", field.frames_THWC.shape[2:0:-1])


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    return write_graders(tmp_path_factory.mktemp("runs") / "slowfast")
