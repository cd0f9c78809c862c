"""`load_grader`: an array of frames gets the answer that `predict` gives to the same clip as a file."""

import av
import numpy as np
import pytest
import torch

from hybrid import create_model, load_grader
from hybrid.data.clip import ClipSpec
from hybrid.data.transforms import Normalisation
from hybrid.device import choose_machine
from hybrid.errors import UserError
from hybrid.files import write_json
from hybrid.training.checkpoint import TrainedModel, TrainedOn, save_trained
from hybrid.training.ensemble import find_checkpoints
from hybrid.training.predict import predict_clips

GRADES = ["good", "fair", "poor"]
pytestmark = pytest.mark.filterwarnings("error::UserWarning:hybrid")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """Two folds of SlowFast, one of VGG16."""
    folder = tmp_path_factory.mktemp("runs") / "e"
    for name, fold in (("slowfast", 0), ("slowfast", 1), ("vgg16", 0)):
        torch.manual_seed(fold)
        model = create_model(name, "tiny", num_grades=3)
        normalisation, seen = Normalisation((0.45,) * 3, (0.2,) * 3, "clip"), TrainedOn((), True, (60, 200))
        trained = TrainedModel(model, name, "tiny", {}, GRADES, ClipSpec(), normalisation, trained_on=seen)
        run = folder / name / f"repeat0-fold{fold}"
        save_trained(run / "model.ckpt", trained)
        write_json(run / "result.json", {})
    return folder


def moving(count: int, height: int, width: int, channels: int = 1) -> np.ndarray:
    """Noise in a slow drift, (T, H, W), or (T, H, W, C)."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (height, width + 3 * count, channels), dtype=np.uint8)
    frames = np.stack([pixels[:, 3 * t : 3 * t + width] for t in range(count)])
    return frames[..., 0] if channels == 1 else frames


def written(path, frames, rate):
    """The frames in a file that keeps every pixel."""
    grey = frames.ndim == 3
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=rate)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "gray" if grey else "rgb24"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="gray" if grey else "rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    "frames, rate",
    [
        (moving(16, 64, 64), 16),
        (moving(50, 150, 150), 50),
        (moving(24, 70, 70, channels=3), 24),
        (moving(10, 100, 100)[..., None], 10),
    ],
    ids=["as trained", "fast and larger", "colour", "slow"],
)
def test_frames_get_the_answer_of_their_file(frames, rate, experiment, tmp_path):
    path = written(tmp_path / "clip.mov", frames[..., 0] if frames.shape[-1] == 1 else frames, rate)
    folder = experiment / "slowfast"
    (row,) = predict_clips(find_checkpoints(folder), [path], choose_machine("cpu")).table.to_dict("records")
    grader = load_grader(folder, accelerator="cpu")
    distribution_K = grader(frames, rate=rate)
    assert grader.grades == tuple(GRADES) and distribution_K.shape == (3,) and distribution_K.dtype == np.float32
    np.testing.assert_array_equal(distribution_K, np.float32([row[grade] for grade in GRADES]))


def test_the_rate_and_the_order_of_frames_count(experiment):
    grader = load_grader(experiment / "slowfast", accelerator="cpu")
    frames = moving(32, 64, 64)
    with pytest.warns(UserWarning, match="longer than 1 s"):
        usual = grader(frames, rate=16)
    assert np.abs(grader(frames, rate=32) - usual).max() > 1e-6


def test_what_is_odd_is_a_warning(experiment):
    grader = load_grader(experiment, model="vgg16", accelerator="cpu")
    with pytest.warns(UserWarning, match="the clip is shorter than 1 s, so that the last frame is held"):
        grader(moving(8, 64, 64), rate=16)
    with pytest.warns(UserWarning, match="black in every frame"):
        grader(np.zeros((16, 64, 64), np.uint8), rate=16)


@pytest.mark.parametrize(
    "frames, rate, message",
    [
        (moving(16, 64, 64) / 255, 16, "must be uint8 .* not float64"),
        (moving(16, 64, 64)[0], 16, r"not uint8 \(64, 64\)"),
        (moving(16, 64, 64, channels=2), 16, r"not uint8 \(16, 64, 64, 2\)"),
        (moving(16, 64, 64)[:1], 16, "1 frames at 16 a second: a clip needs 2 or more in its first 1 s"),
        (moving(16, 64, 64), 0.5, "16 frames at 0.5 a second: a clip needs 2 or more"),
        (moving(16, 4, 64), 16, "are 64x4 pixels"),
        (moving(16, 64, 64), 0, "above 0, not 0"),
        (moving(16, 64, 64), float("nan"), "above 0, not nan"),
    ],
)
def test_frames_that_are_no_clip_are_refused(frames, rate, message, experiment):
    with pytest.raises(UserError, match=message):
        load_grader(experiment / "slowfast" / "repeat0-fold0", accelerator="cpu")(frames, rate=rate)
