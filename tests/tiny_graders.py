"""Untrained models of two folds, which see half a second and have three grades."""

from pathlib import Path

import torch

from hybrid import create_model
from hybrid.data.clip import ClipSpec
from hybrid.data.transforms import Normalisation
from hybrid.files import write_json
from hybrid.training.checkpoint import TrainedModel, TrainedOn, save_trained

GRADES = ["good", "fair", "poor"]


def write_graders(folder: Path) -> Path:
    """The folder of a model."""
    for fold in (0, 1):
        torch.manual_seed(fold)
        model = create_model("slowfast", "tiny", num_grades=3, num_frames=8)
        torch.nn.init.normal_(model.net.blocks[-1].proj.weight, std=0.03)  # else all cells have much the same grade
        normalisation, seen = Normalisation((0.45,) * 3, (0.2,) * 3, "clip"), TrainedOn((), True, (60, 64))
        spec, run = ClipSpec(num_frames=8), folder / f"repeat0-fold{fold}"
        trained = TrainedModel(model, "slowfast", "tiny", {}, GRADES, spec, normalisation, trained_on=seen)
        save_trained(run / "model.ckpt", trained)
        write_json(run / "result.json", {})
    return folder
