import numpy as np
import pytest
from analysis_subjects import lively
from PIL import Image
from support import write_dataset

from hybrid import get_entry
from hybrid.analysis.relevance.figure_two import figure_two
from hybrid.data.clip import ClipSpec
from hybrid.data.normalisation import Normalisation
from hybrid.errors import UserError
from hybrid.training.checkpoint import TrainedModel, save_trained


def checkpoint(name: str, folder, side: int = 64):
    entry = get_entry(name)
    spec, normalisation = ClipSpec(side=side), Normalisation(entry.mean, entry.std)
    model = lively(name, crop_size=side).model
    trained = TrainedModel(model, name, "tiny", {}, list("ABCDE"), spec, normalisation)
    save_trained(folder / f"{name}.ckpt", trained)
    return folder / f"{name}.ckpt"


def test_figure_two_is_drawn_from_two_checkpoints(tmp_path):
    clips = sorted((write_dataset(tmp_path / "set", 3) / "clips").iterdir())
    vgg16, vit = checkpoint("vgg16", tmp_path), checkpoint("vit", tmp_path, side=96)
    drawn = figure_two(vgg16, vit, clips, tmp_path / "figures")
    assert drawn.svg.count("<image") == 3 * 4  # a frame and the map over it are one image
    with Image.open(tmp_path / "figures" / "figure2.png") as image:
        assert np.asarray(image.convert("RGB")).std() > 10
    with pytest.raises(UserError, match="is a model 'vit'"):
        figure_two(vit, vit, clips, tmp_path)
