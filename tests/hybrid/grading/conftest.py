"""A field video, and untrained models of two folds that see half a second."""

from pathlib import Path

import pytest
import torch
from simulated_fields import Field, make_field, write_boxes

from hybrid import create_model
from hybrid.data.clip import ClipSpec
from hybrid.data.transforms import Normalisation
from hybrid.files import write_json
from hybrid.training.checkpoint import TrainedModel, TrainedOn, save_trained

GRADES = ["good", "fair", "poor"]


@pytest.fixture(scope="session")
def field(tmp_path_factory) -> Field:
    """Read only."""
    return make_field(tmp_path_factory.mktemp("field"))


@pytest.fixture(scope="session")
def boxes(field, tmp_path_factory) -> Path:
    """Those of all cells but the last one, which is there for 10 frames alone."""
    some = field.boxes[(field.boxes["id"] != "cell5") | (field.boxes["frame"] < 10)]
    return write_boxes(tmp_path_factory.mktemp("boxes"), some, "csv", field.frames_THWC.shape[2:0:-1])


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """The folder of a model."""
    folder = tmp_path_factory.mktemp("runs") / "e" / "slowfast"
    for fold in (0, 1):
        torch.manual_seed(fold)
        model = create_model("slowfast", "tiny", num_grades=3, num_frames=8)
        torch.nn.init.normal_(model.net.blocks[-1].proj.weight, std=20)  # else all cells have much the same grade
        normalisation, seen = Normalisation((0.45,) * 3, (0.2,) * 3, "clip"), TrainedOn((), True, (60, 64))
        run = folder / f"repeat0-fold{fold}"
        spec = ClipSpec(num_frames=8)
        save_trained(
            run / "model.ckpt",
            TrainedModel(model, "slowfast", "tiny", {}, GRADES, spec, normalisation, trained_on=seen),
        )
        write_json(run / "result.json", {})
    return folder
